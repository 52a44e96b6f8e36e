using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;
using Spectre.Console;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>Shows how a fine-tuning goes on: a line that moves below its story where a person watches, else a line now and then; in JSON mode its events, then the job, one a line.</summary>
internal sealed class FineTuningView(FleetConsole console, TimeProvider clock)
{
    private const int LinesShown = 12;

    private readonly Queue<string> story = new();
    private string said = "";
    private long saidAt;

    /// <summary>Follows it to its end; returns it as it ended.</summary>
    public async Task<FineTuningJobInfo> FollowAsync(
        FineTuningFollower follower,
        string id,
        CancellationToken cancellationToken
    )
    {
        FineTuningJobInfo? job = null;
        if (!console.IsInteractive)
        {
            await foreach (var update in follower.FollowAsync(id, cancellationToken))
            {
                job = update.Job;
                Say(update);
            }
            if (console.IsJson)
                console.JsonLine(job);
            return job!;
        }
        await AnsiConsole
            .Live(new Text(""))
            .StartAsync(async live =>
            {
                await foreach (var update in follower.FollowAsync(id, cancellationToken))
                {
                    job = update.Job;
                    live.UpdateTarget(Render(update));
                }
            });
        return job!;
    }

    private void Say(FineTuningUpdate update)
    {
        if (console.IsJson)
        {
            foreach (var line in update.Events)
                console.JsonLine(line);
            return;
        }
        foreach (var line in update.Events.Where(IsForPeople))
            console.Line(FineTuningText.Line(line));
        var now = FineTuningText.Progress(update.Job, clock.GetUtcNow());
        var isDue = said.Length == 0 || clock.GetElapsedTime(saidAt) >= Limits.ProgressInterval;
        // That a checkpoint grows older is no news.
        if (now == said || !(isDue || JobInfo.IsTerminal(update.Job.Status)))
            return;
        (said, saidAt) = (now, clock.GetTimestamp());
        console.Line(WithCheckpoint(update, now));
    }

    private Rows Render(FineTuningUpdate update)
    {
        foreach (var line in update.Events.Where(IsForPeople))
            story.Enqueue(FineTuningText.Line(line));
        while (story.Count > LinesShown)
            story.Dequeue();
        return new Rows([
            .. story.Select(line => new Text(line)),
            new Text(WithCheckpoint(update, FineTuningText.Progress(update.Job, clock.GetUtcNow()))),
        ]);
    }

    private string WithCheckpoint(FineTuningUpdate update, string progress) =>
        update.Checkpoint is { } checkpoint && !JobInfo.IsTerminal(update.Job.Status)
            ? $"{progress}  {FineTuningText.Checkpoint(checkpoint, clock.GetUtcNow())}"
            : progress;

    /// <summary>Figures of single steps are in the line that moves.</summary>
    private static bool IsForPeople(FineTuningEventInfo line) => line.Type != "metrics";
}

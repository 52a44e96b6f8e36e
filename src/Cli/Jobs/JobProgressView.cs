using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace EgpuFleet.Cli.Jobs;

/// <summary>Shows how a job goes on: a table that moves where a person watches, else a line now and then.</summary>
internal sealed class JobProgressView(FleetConsole console, Steps steps)
{
    private const int BarCells = 32;

    private readonly DeviceProgress _devices = new();
    private JobInfo? _job;
    private TimeSpan _nextLine = TimeSpan.Zero;

    /// <summary>Follows the job to its end; returns the shards per device.</summary>
    public async Task<IReadOnlyList<DeviceShards>> FollowAsync(
        JobFollower follower,
        string id,
        CancellationToken cancellationToken
    )
    {
        if (!console.IsInteractive)
        {
            await foreach (var update in follower.FollowAsync(id, cancellationToken))
            {
                See(update);
                SayNowAndThen();
            }
            return _devices.Devices;
        }
        await AnsiConsole
            .Live(Render())
            .StartAsync(async live =>
            {
                await foreach (var update in follower.FollowAsync(id, cancellationToken))
                {
                    See(update);
                    live.UpdateTarget(Render());
                }
            });
        return _devices.Devices;
    }

    private void See(JobUpdate update)
    {
        _job = update.Job ?? _job;
        if (update.Event is { } line)
            _devices.See(line);
    }

    private void SayNowAndThen()
    {
        if (_job is null || steps.Elapsed < _nextLine)
            return;
        _nextLine = steps.Elapsed + Limits.ProgressInterval;
        var devices = _devices.Devices.Select(d => $"{d.Device} {d.Finished} done {d.Running} running");
        var reason = _job.Reason is { } why ? $"; waits: {why.Message}" : "";
        steps.Say($"{Done(_job)} of {_job.Items.Total} prompts; shards: {string.Join(", ", devices)}{reason}");
    }

    private Rows Render()
    {
        var total = Math.Max(1, _job?.Items.Total ?? 1);
        var done = _job is null ? 0 : Done(_job);
        var filled = (int)((long)BarCells * done / total);
        var bar = new string('━', filled) + new string('╌', BarCells - filled);
        var lines = new List<IRenderable>
        {
            new Text($"{bar} {done} of {_job?.Items.Total} prompts, {Format.Seconds(steps.Elapsed)}"),
        };
        if (_job?.Reason is { } why)
            lines.Add(new Text($"{why.Message} {why.Action}"));
        var table = new Table().Border(TableBorder.None).AddColumns("DEVICE", "SHARDS DONE", "RUNNING", "PROMPTS DONE");
        foreach (var device in _devices.Devices)
        {
            table.AddRow(
                new Text(device.Device),
                new Text(device.Finished.ToString()),
                new Text(device.Running.ToString()),
                new Text(device.Items.ToString())
            );
        }
        lines.Add(table);
        return new Rows(lines);
    }

    private static int Done(JobInfo job) => job.Items.Completed + job.Items.Failed;
}

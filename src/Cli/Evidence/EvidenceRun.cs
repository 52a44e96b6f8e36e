using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Evidence;

/// <summary>Takes the steps of every subject in order, within one budget; a step that fails ends nothing but itself.</summary>
/// <param name="all">Those of this machine that may be compared with, whether they are checked or not.</param>
/// <param name="without">Steps that are left out.</param>
/// <param name="say">What is being done, a line each.</param>
/// <param name="changed">Called after every step with all that is known by then: a machine that crashes leaves that much.</param>
internal sealed class EvidenceRun(
    IReadOnlyList<EvidenceSubject> subjects,
    IReadOnlyList<EvidenceSubject> all,
    TestModel model,
    EvidenceBudget budget,
    IReadOnlySet<string> without,
    TimeProvider clock,
    Action<string> say,
    Action<IReadOnlyList<TargetEvidence>> changed
)
{
    private readonly List<TargetEvidence> _done = [];

    /// <summary>Returns early, with the rest not run, when the token fires.</summary>
    public async Task<IReadOnlyList<TargetEvidence>> RunAsync(CancellationToken cancellationToken)
    {
        // For sockets, logs and models that are written.
        var folder = Directory.CreateTempSubdirectory("efh");
        try
        {
            for (var i = 0; i < subjects.Count; i++)
                await TakeAllAsync(subjects[i], i + 1, folder.FullName, cancellationToken);
            return _done;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task TakeAllAsync(
        EvidenceSubject subject,
        int number,
        string folder,
        CancellationToken cancellationToken
    )
    {
        say("");
        say($"{subject.Device.Name} ({subject.Device.Model}), {subject.Engine}, {number} of {subjects.Count}:");
        await using var session = new EvidenceSession(subject, ReferenceOf(subject), model, folder, budget, clock);
        var items = new List<EvidenceItem>();
        foreach (var step in EvidenceSteps.All)
        {
            items.Add(await TakeAsync(step, session, items, cancellationToken));
            changed([.. _done, Evidence(session, items)]);
        }
        _done.Add(Evidence(session, items));
    }

    /// <summary>A GPU is compared with the same engine on the processor, and that with llama.cpp on it.</summary>
    private EvidenceSubject? ReferenceOf(EvidenceSubject subject)
    {
        var processors = all.Where(other => !other.IsGpu && other.Refusal is null).ToList();
        return subject.IsGpu
            ? processors.Find(other => other.Engine == subject.Engine) ?? processors.FirstOrDefault()
            : processors.Find(other => other.Engine == LlamaCppSettings.Engine && other != subject);
    }

    private static TargetEvidence Evidence(EvidenceSession session, List<EvidenceItem> items)
    {
        var subject = session.Subject;
        return new TargetEvidence(
            subject.Device.Name,
            subject.Device.Kind,
            subject.Device.Model,
            subject.Engine,
            subject.EngineDevice,
            session.EngineVersion,
            [.. items]
        );
    }

    private async Task<EvidenceItem> TakeAsync(
        EvidenceStep step,
        EvidenceSession session,
        List<EvidenceItem> before,
        CancellationToken cancellationToken
    )
    {
        var started = clock.GetTimestamp();
        var finding = Skip(step, session.Subject, before, cancellationToken);
        if (finding is null)
        {
            say($"  {step.Doing} (at most {Short(LimitOf(step))}, {Short(budget.Left)} left)");
            finding = await GuardAsync(step, session, cancellationToken);
            if (finding.Status is EvidenceStatus.Failed)
                await session.DropAsync();
        }
        var item = finding.ToItem(step.Id, clock.GetElapsedTime(started));
        say(
            $"    {Words(item.Status)}{(item.Seconds >= 0.1 ? $", {item.Seconds:0.0} s" : "")}: {FirstLine(item.Seen)}"
        );
        if (item.Fix is not null)
            say($"    Fix: {item.Fix}");
        return item;
    }

    /// <summary>Why the step is not even begun; null: it is.</summary>
    private EvidenceFinding? Skip(
        EvidenceStep step,
        EvidenceSubject subject,
        List<EvidenceItem> before,
        CancellationToken cancellationToken
    )
    {
        if (cancellationToken.IsCancellationRequested)
            return EvidenceFinding.NotRun("the check was stopped before");
        if (without.Contains(step.Id))
            return EvidenceFinding.NotRun("left out by --without");
        if (step.Id != EvidenceSteps.Discovery && subject.Refusal is { } refusal)
            return EvidenceFinding.NotRun(refusal);
        if (step.Needs is { } needed && before.Find(item => item.Id == needed) is not { Status: EvidenceStatus.Passed })
            return EvidenceFinding.NotRun($"it needs {needed}, which did not pass");
        return budget.Left < Limits.EvidenceStepLeast ? EvidenceFinding.NotRun("no time was left") : null;
    }

    private TimeSpan LimitOf(EvidenceStep step) => step.Limit < budget.Left ? step.Limit : budget.Left;

    /// <summary>Whatever goes wrong in a step is what the step found.</summary>
    private async Task<EvidenceFinding> GuardAsync(
        EvidenceStep step,
        EvidenceSession session,
        CancellationToken cancellationToken
    )
    {
        var limit = LimitOf(step);
        using var late = new CancellationTokenSource(limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await WatchAsync(step, step.RunAsync(session, either.Token));
        }
        catch (OperationCanceledException)
        {
            // Its worker may be stuck in the device: the next step gets another.
            await session.DropAsync();
            if (cancellationToken.IsCancellationRequested)
                return EvidenceFinding.NotRun("the check was stopped before it was done");
            return limit < step.Limit
                ? EvidenceFinding.NotRun($"the time of the whole check was over after {limit.TotalSeconds:0} s of it")
                : EvidenceFinding.Failed($"it was not done within {limit.TotalSeconds:0} s");
        }
        catch (EngineException e)
        {
            var death = WorkerDeath.Explain($"{session.LastWords}\n{e.Message}");
            return EvidenceFinding.Failed(
                e.Message,
                death.IsKnown ? death.Cause : null,
                death.IsKnown ? death.Fix : null
            );
        }
        catch (IOException e)
        {
            return EvidenceFinding.Failed(e.Message);
        }
    }

    /// <summary>Says that a long step still works.</summary>
    private async Task<EvidenceFinding> WatchAsync(EvidenceStep step, Task<EvidenceFinding> work)
    {
        var started = clock.GetTimestamp();
        while (true)
        {
            try
            {
                return await work.WaitAsync(Limits.EvidenceProgress, clock);
            }
            catch (TimeoutException) when (!work.IsCompleted)
            {
                say($"    still {step.Doing}, {Short(clock.GetElapsedTime(started))}, {Short(budget.Left)} left");
            }
        }
    }

    private static string Words(EvidenceStatus status) =>
        status switch
        {
            EvidenceStatus.Passed => "passed",
            EvidenceStatus.Failed => "FAILED",
            EvidenceStatus.NotRun => "not run",
            EvidenceStatus.NotApplicable => "not applicable",
            _ => throw new ArgumentOutOfRangeException(nameof(status), status, "No such status."),
        };

    private static string FirstLine(string text) => text.Split('\n')[0];

    private static string Short(TimeSpan time) =>
        time.TotalSeconds >= 60 ? $"{time.TotalMinutes:0.0} min" : $"{time.TotalSeconds:0} s";
}

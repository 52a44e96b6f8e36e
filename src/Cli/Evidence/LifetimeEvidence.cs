using System.Security.Cryptography;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Measuring;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Cli.Evidence;

/// <summary>That work on a device ends when it should, and comes back when its process dies.</summary>
internal static class LifetimeEvidence
{
    private const int TokensBefore = 4;

    private const int TokensAsked = 400;

    /// <summary>Time that a cancel takes to the worker and through it, on a busy machine.</summary>
    private const double CancelSeconds = 0.25;

    /// <summary>Positions whose keys and values no machine holds: 100 KiB each, for 64 sequences.</summary>
    private const int HugeContext = 50_000_000;

    private const int HugeSlots = 64;

    public static async Task<EvidenceFinding> CancelAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        var client = await session.LoadedAsync(cancellationToken);
        var (clock, before) = (session.Clock, await ComputedAsync(client, cancellationToken));
        var (read, first, cancelled) = (0, 0L, 0L);
        Task<long>? known = null;
        await foreach (var _ in client.GenerateAsync(Request(session, TokensAsked), cancellationToken))
        {
            if (++read == 1)
                first = clock.GetTimestamp();
            if (read < TokensBefore)
                continue;
            // Asked right before the worker is told to stop, on the same connection: what was computed until it heard of
            // that, read here or not.
            known = ComputedAsync(client, cancellationToken);
            cancelled = clock.GetTimestamp();
            break;
        }
        if (known is null)
            return EvidenceFinding.NotRun(
                $"{session.Model.Name} ended its text after {read} tokens; name another by --model"
            );
        var computed = await known - before;
        var rate = computed / clock.GetElapsedTime(first).TotalSeconds;
        var stats = await client.StatsAsync(cancellationToken);
        while (stats.RunningGenerations > 0)
        {
            await Task.Delay(Limits.LookInterval, clock, cancellationToken);
            stats = await client.StatsAsync(cancellationToken);
        }
        var seconds = clock.GetElapsedTime(cancelled).TotalSeconds;
        var after = await ComputedAsync(client, cancellationToken) - before - computed;
        // Never so much that one that went on to its end would pass.
        var allowed = Math.Min(2 + (rate * CancelSeconds), (TokensAsked - computed) / 2.0);
        return EvidenceFinding.Of(
            after <= allowed,
            $"after {computed} of {TokensAsked} tokens the worker computed {after} more at {rate:0} tokens/s, and was free within "
                + $"{seconds:0.000} s",
            ("tokens_read", read),
            ("tokens_computed_after", after),
            ("tokens_allowed_after", Math.Floor(allowed)),
            ("free_after_seconds", seconds)
        );
    }

    public static async Task<EvidenceFinding> RefuseAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        var name = new string('0', SHA256.HashSizeInBytes * 2);
        var worker = await session.OpenAsync(cancellationToken);
        var path = Path.Combine(session.Folder, "too-large.gguf");
        try
        {
            await using (var file = File.Create(path))
                ProbeModel.Write(file, new ProbeShape(1024, 256, 4, WeightKind.Q4), HugeContext);
            var spec = new LoadSpec(path, name, session.Model.Spec.Threads, HugeContext, HugeSlots, Exact: false);
            try
            {
                await worker.Client.LoadAsync(spec, cancellationToken);
                return EvidenceFinding.Failed("a model that fits no machine was loaded");
            }
            catch (EngineException e) when (e.ErrorClass == EngineErrorClass.OutOfMemory)
            {
                // It must be the estimate that refused, and the device must be none the worse.
                var test = await worker.Client.SelfTestAsync(cancellationToken);
                return EvidenceFinding.Of(
                    test.Passed,
                    $"refused before anything was allocated: {e.Message}",
                    ("needed_bytes", e.Actual ?? double.NaN),
                    ("available_bytes", e.Limit ?? double.NaN)
                );
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static async Task<EvidenceFinding> KillAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        var clock = session.Clock;
        var client = await session.LoadedAsync(cancellationToken);
        var before = await TextAsync(client, session, cancellationToken);
        var worker = await session.OpenAsync(cancellationToken);
        var (killed, noticed) = (clock.GetTimestamp(), 0.0);
        try
        {
            var read = 0;
            await foreach (var _ in client.GenerateAsync(Request(session, TokensAsked), cancellationToken))
            {
                if (++read != TokensBefore)
                    continue;
                killed = clock.GetTimestamp();
                await worker.KillAsync();
            }
            return EvidenceFinding.Failed("a generation went on to its end after its worker was killed");
        }
        catch (EngineException e) when (e.ErrorClass == EngineErrorClass.WorkerLost)
        {
            noticed = clock.GetElapsedTime(killed).TotalSeconds;
        }
        await session.DropAsync();
        var starts = await OpenAgainAsync(session, cancellationToken);
        var opened = clock.GetElapsedTime(killed).TotalSeconds;
        client = await session.LoadedAsync(cancellationToken);
        var after = await TextAsync(client, session, cancellationToken);
        return EvidenceFinding.Of(
            before.Count > 0 && before.SequenceEqual(after),
            $"SIGKILL was noticed after {noticed:0.000} s, another worker had the device open after {opened:0.0} s "
                + $"({starts} start(s)), and said the same {after.Count} tokens",
            ("noticed_seconds", noticed),
            ("open_again_seconds", opened),
            ("serving_again_seconds", clock.GetElapsedTime(killed).TotalSeconds),
            ("starts", starts)
        );
    }

    /// <summary>Kills the process that holds the device itself, which then has no time to close it.</summary>
    public static async Task<EvidenceFinding> ReopenAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        if (session.Subject.Engine != TinygradSettings.Engine)
            return EvidenceFinding.NotApplicable("the worker itself holds the device: see worker_killed");
        var worker = await session.OpenAsync(cancellationToken);
        var killed = session.Clock.GetTimestamp();
        if (await worker.KillChildrenAsync(cancellationToken) == 0)
            return EvidenceFinding.NotRun("pgrep does not tell which process holds the device");
        await session.DropAsync();
        var starts = await OpenAgainAsync(session, cancellationToken);
        var opened = session.Clock.GetElapsedTime(killed).TotalSeconds;
        var test = await (await session.OpenAsync(cancellationToken)).Client.SelfTestAsync(cancellationToken);
        return EvidenceFinding.Of(
            test is { Passed: true, Checks: > 0 },
            $"open again {opened:0.0} s after the process that held it was killed ({starts} start(s)); {test.Text}",
            ("open_again_seconds", opened),
            ("starts", starts)
        );
    }

    /// <summary>As an agent does: what the dead process held may take a moment to be free. Returns how often it was started.</summary>
    private static async Task<int> OpenAgainAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        for (var starts = 1; ; starts++)
        {
            try
            {
                await session.OpenAsync(cancellationToken);
                return starts;
            }
            catch (EngineException) when (starts < Limits.EvidenceStarts)
            {
                await Task.Delay(Limits.RestartDelayFirst * (1 << starts), session.Clock, cancellationToken);
            }
        }
    }

    private static GenerateRequest Request(EvidenceSession session, int tokens) =>
        new(session.Model.Sha256, new TokenPrompt(session.Model.Prompts[0]), new GenerationOptions(tokens));

    private static async Task<List<int>> TextAsync(
        WorkerClient client,
        EvidenceSession session,
        CancellationToken cancellationToken
    )
    {
        var ids = new List<int>();
        await foreach (var token in client.GenerateAsync(Request(session, TokensBefore * 4), cancellationToken))
            ids.Add(token.TokenId);
        return ids;
    }

    private static async Task<long> ComputedAsync(WorkerClient client, CancellationToken cancellationToken) =>
        (await client.StatsAsync(cancellationToken)).Models.Sum(model => model.CompletionTokens);
}

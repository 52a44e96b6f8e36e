using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>What one worker's search finds serves another worker, which searches nothing itself.</summary>
public sealed class TuningTests
{
    /// <summary>Longer than any machine needs to find one faster kernel; the search is ended when it has.</summary>
    private const double Seconds = 300;

    private static readonly LoadSpec NotExact = new(
        Stories.ModelPath,
        Stories.Hash,
        Threads: 1,
        Slots: 1,
        Exact: false
    );

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_worker_found_another_one_uses_and_tells_the_same_story()
    {
        TinygradWorker.Require();
        await using var first = WorkerProcess.Start(worker: TinygradWorker.Name);
        await using var client = await first.ConnectAsync(Token);
        await client.LoadAsync(NotExact, Token);
        await client.WarmUpAsync(Stories.Hash, Token);
        var found = await SearchUntilFoundAsync(client);
        Assert.All(found.Findings, finding => Assert.True(finding.SecondsAfter < finding.SecondsBefore));

        await using var second = WorkerProcess.Start(worker: TinygradWorker.Name);
        await using var other = await second.ConnectAsync(Token);
        Assert.Equal((await client.ProbeAsync(Token)).TuningClass, (await other.ProbeAsync(Token)).TuningClass);
        var taken = await other.UseTuningsAsync(
            [.. found.Findings.Select(one => new KernelOpts(one.Kernel, one.Opts)), new KernelOpts("no kernel", "")],
            Token
        );
        Assert.Equal(new TuningsTaken(found.Findings.Count, Refused: 1), taken);
        await other.LoadAsync(NotExact, Token);
        await other.WarmUpAsync(Stories.Hash, Token);

        await other.AssertGoldenAsync(Token);
        var stats = (await other.StatsAsync(Token)).Tuning!;
        Assert.True(stats.TunedKernels >= found.Findings.Count, $"{stats}");
        Assert.Equal((0, 0), (stats.KernelsSearched, stats.CandidatesTimed));
        Assert.Equal(1, stats.TuningRejected);
    }

    /// <summary>A search whose client leaves ends; the next one can begin.</summary>
    [Fact]
    public async Task A_search_ends_with_its_cancel_and_with_its_client()
    {
        TinygradWorker.Require();
        await using var worker = WorkerProcess.Start(worker: TinygradWorker.Name);
        await using var client = await worker.ConnectAsync(Token);
        await client.LoadAsync(NotExact, Token);
        await client.WarmUpAsync(Stories.Hash, Token);
        var refused = await Assert.ThrowsAsync<EngineException>(() =>
            client.TuneAsync(Stories.Hash, seconds: 3601, _ => { }, Token)
        );
        Assert.Equal(EngineErrorClass.InvalidRequest, refused.ErrorClass);

        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            client.TuneAsync(Stories.Hash, Seconds, _ => cancelling.Cancel(), cancelling.Token)
        );
        await using (var leaving = await worker.ConnectAsync(Token))
        {
            var begun = new TaskCompletionSource();
            var left = TuneWhenFreeAsync(leaving, begun.SetResult);
            await begun.Task.WaitAsync(Token);
            await leaving.DisposeAsync();
            var lost = await Assert.ThrowsAsync<EngineException>(() => left);
            Assert.Equal(EngineErrorClass.WorkerLost, lost.ErrorClass);
        }
        var third = new TaskCompletionSource();
        var running = TuneWhenFreeAsync(client, third.SetResult);
        await third.Task.WaitAsync(Token);
        await client.UnloadAsync(Stories.Hash, Token);
        Assert.Equal(TuneFinish.Cancelled, (await running).Finish);
    }

    private static async Task<TuneResult> SearchUntilFoundAsync(WorkerClient client)
    {
        var unloading = Task.CompletedTask;
        var result = await client.TuneAsync(
            Stories.Hash,
            Seconds,
            progress =>
            {
                // Its model's end ends a search, and what was found is told.
                if (progress.KernelsFaster == 1)
                    unloading = client.UnloadAsync(Stories.Hash, Token);
            },
            Token
        );
        await unloading;
        Assert.NotEmpty(result.Findings);
        return result;
    }

    /// <summary>An ended search goes on to the end of its candidate; until then another one is refused.</summary>
    private static async Task<TuneResult> TuneWhenFreeAsync(WorkerClient client, Action begun)
    {
        var told = false;
        while (true)
        {
            try
            {
                return await client.TuneAsync(Stories.Hash, Seconds, Tell, Token);
            }
            catch (EngineException e) when (e.ErrorClass == EngineErrorClass.QueueFull) { }
        }

        void Tell(TuneProgress progress)
        {
            if (!told)
                begun();
            told = true;
        }
    }
}

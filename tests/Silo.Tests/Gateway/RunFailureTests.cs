using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Silo.Gateway.FineTuning;

namespace EgpuFleet.Silo.Tests.Gateway;

public sealed class RunFailureTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_member_decides_and_no_other()
    {
        Assert.Equal("broken", (await FindAsync(failed: 1, Result(1, null), Result(0, "broken")))?.ErrorCode);
        Assert.Equal("broken", (await FindAsync(failed: 2, Result(1, "lost"), Result(0, "broken")))?.ErrorCode);
        Assert.Null(await FindAsync(failed: 1, Result(0, null), Result(1, "lost")));
        Assert.Null(await FindAsync(failed: 0, Result(0, null), Result(1, null)));
    }

    private static Task<ItemResult?> FindAsync(int failed, params ItemResult[] results)
    {
        var now = DateTimeOffset.UnixEpoch;
        var spec = new JobSpec(
            JobId.New(now),
            TenantId.Default,
            JobKind.Train,
            Model: null,
            Generation: null,
            Priority: 0,
            results.Length,
            TraceParent: null,
            JobRules.Default
        );
        var done = results.Length - failed;
        var record = new JobRecord(spec, JobState.Succeeded, done, failed, now, now, now, End: null);
        return RunFailure.FindAsync(record, results.ToAsyncEnumerable(), Token);
    }

    private static ItemResult Result(int index, string? error) =>
        new(index, "", error is null ? "{}" : null, null, 0, 0, error, error, default, 0, 1, 0);
}

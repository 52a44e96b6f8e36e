using EgpuFleet.Contracts.Tests.Ledger;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Tuning;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Tuning;

/// <summary>What holds of the store of tuned kernels, on a real database.</summary>
public sealed class TuningStoreTests(LedgerDatabase database) : IClassFixture<LedgerDatabase>, IAsyncLifetime
{
    private readonly NpgsqlDataSource source = NpgsqlDataSource.Create(database.ConnectionString);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private TuningTables Store => new(source);

    public async ValueTask InitializeAsync()
    {
        await using var clear = source.CreateCommand("delete from kernel_tuning");
        await clear.ExecuteNonQueryAsync(Token);
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    [Fact]
    public async Task The_better_time_wins_whoever_comes_first_and_the_same_again_changes_nothing()
    {
        var of = new TuningClass("AMD gfx1100 AMDLLVMRenderer", "a9069c177");
        Assert.Equal(new TuningTable(0, []), await Store.LoadAsync(of, Token), Same);
        Assert.True(await Store.PutAsync(of, Report(Kernel(1, "UPCAST:0:4", 2e-3), Kernel(2, "", 3e-3)), Token));
        var first = await Store.LoadAsync(of, Token);
        Assert.Equal([Kernel(1, "UPCAST:0:4", 2e-3), Kernel(2, "", 3e-3)], first.Kernels.OrderBy(one => one.Kernel));

        Assert.True(
            await Store.PutAsync(of, Report(Kernel(1, "UPCAST:0:4", 2e-3), Kernel(2, "LOCAL:0:2", 4e-3)), Token)
        );
        Assert.Equal(first, await Store.LoadAsync(of, Token), Same);

        Assert.True(await Store.PutAsync(of, Report(Kernel(1, "UNROLL:0:4", 1e-3)), Token));
        var second = await Store.LoadAsync(of, Token);
        Assert.True(second.Revision > first.Revision);
        Assert.Equal([Kernel(1, "UNROLL:0:4", 1e-3), Kernel(2, "", 3e-3)], second.Kernels.OrderBy(one => one.Kernel));
    }

    [Fact]
    public async Task Classes_know_nothing_of_each_other_and_are_listed()
    {
        var amd = new TuningClass("AMD gfx1100", "1");
        TuningClass[] classes = [amd, amd with { EngineVersion = "2" }, amd with { Device = "CPU x86_64" }];
        foreach (var (of, number) in classes.Select((of, number) => (of, number)))
            await Store.PutAsync(of, Report(Kernel(number, "UPCAST:0:2", 5e-3), Kernel(9, "", 2.5e-3)), Token);
        foreach (var (of, number) in classes.Select((of, number) => (of, number)))
            Assert.Equal([number, 9], (await Store.LoadAsync(of, Token)).Kernels.Select(NumberOf).Order());
        var listed = await Store.ListAsync(Token);
        Assert.Equal(classes, listed.Select(one => one.Class));
        Assert.All(listed, one => Assert.Equal((2, 4.0), (one.Kernels, one.BestSpeedup)));
    }

    [Fact]
    public async Task Of_a_class_the_kernels_changed_last_are_kept_and_of_classes_the_first()
    {
        var of = new TuningClass("CPU x86_64", "1");
        const int Many = Grains.Limits.TunedKernels + 10;
        var all = Enumerable.Range(0, Many).Select(number => Kernel(number, "", 5e-3)).ToArray();
        foreach (var some in all.Chunk(Grains.Limits.ReportedKernels))
            await Store.PutAsync(of, Report(some), Token);
        var kept = (await Store.LoadAsync(of, Token)).Kernels;
        Assert.Equal(Enumerable.Range(10, Grains.Limits.TunedKernels), kept.Select(NumberOf).Order());

        for (var i = 1; i < Grains.Limits.TuningClasses; i++)
            Assert.True(await Store.PutAsync(new TuningClass($"GPU {i}", "1"), Report(Kernel(1, "", 5e-3)), Token));
        Assert.False(await Store.PutAsync(new TuningClass("one more", "1"), Report(Kernel(1, "", 5e-3)), Token));
        Assert.True(await Store.PutAsync(of, Report(Kernel(1, "", 5e-3)), Token));
        Assert.Equal(Grains.Limits.TuningClasses, (await Store.ListAsync(Token)).Count);
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_a_ledger_that_is_not_available()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=9;Timeout=1");
        await Assert.ThrowsAsync<LedgerUnavailableException>(() => new TuningTables(nowhere).ListAsync(Token));
    }

    private static KernelTuning Kernel(int number, string opts, double seconds) =>
        new(number.ToString("x64", System.Globalization.CultureInfo.InvariantCulture), opts, 1e-2, seconds);

    private static int NumberOf(KernelTuning one) =>
        int.Parse(
            one.Kernel.AsSpan(56),
            System.Globalization.NumberStyles.HexNumber,
            System.Globalization.CultureInfo.InvariantCulture
        );

    private static TuningReport Report(params KernelTuning[] kernels) =>
        new(JobId.New(DateTimeOffset.UnixEpoch), new NodeId("mac-1"), kernels);

    private static bool Same(TuningTable one, TuningTable other) =>
        one.Revision == other.Revision && one.Kernels.SequenceEqual(other.Kernels);
}

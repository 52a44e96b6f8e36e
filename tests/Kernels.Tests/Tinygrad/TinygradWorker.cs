using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Tinygrad.Child;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>One tinygrad worker on the processor, with the reference model, warm, for all tests of a class.</summary>
public sealed class TinygradWorker : StoriesWorker
{
    public const string Name = "EgpuFleet.Kernels.Tinygrad";

    private static string? NoTinygrad =>
        Environment.GetEnvironmentVariable(ChildLaunch.TinygradVariable) is null or ""
            ? $"{ChildLaunch.TinygradVariable} is not set; check out tinygrad at a9069c177 and set it to that folder"
            : null;

    /// <summary>Whether tests that need it skip.</summary>
    public static bool IsMissing => NoTinygrad is not null;

    internal override string Executable => Name;

    internal override string EngineName => "tinygrad";

    protected override string? Missing => NoTinygrad ?? base.Missing;

    protected override Task WarmUpAsync(WorkerClient client) =>
        client.WarmUpAsync(Stories.Hash, TestContext.Current.CancellationToken);

    /// <summary>Skips the test, saying how to let it run, where there is no tinygrad.</summary>
    public static void Require() => Assert.SkipWhen(NoTinygrad is not null, NoTinygrad ?? "");
}

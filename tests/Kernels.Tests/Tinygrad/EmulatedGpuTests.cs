using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Tinygrad.Child;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>
/// tinygrad's own emulator of an RDNA3 GPU: LLVM's code for gfx1100 and the queues of the real driver, but neither a GPU nor
/// the way to it over PCI.
/// </summary>
public sealed class EmulatedGpuTests
{
    private const string Emulator = "MOCKKFD+AMD:LLVM";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string? Missing
    {
        get
        {
            var checkout = Environment.GetEnvironmentVariable(ChildLaunch.TinygradVariable) ?? "";
            if (!Directory.Exists(Path.Combine(checkout, "test", "mockgpu")))
                return $"{ChildLaunch.TinygradVariable} names no whole checkout: the emulator is in its test/mockgpu";
            return OperatingSystem.IsLinux() ? null : "the emulator stands in for Linux's driver";
        }
    }

    [Fact]
    public async Task An_emulated_amd_gpu_gives_the_same_first_tokens_as_the_processor()
    {
        TinygradWorker.Require();
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("qwen3") { Layers = 1 }));

        var onProcessor = await FirstTokensAsync(model, "CPU", "CPU");
        var onGpu = await FirstTokensAsync(model, Emulator, "AMD");

        Assert.Equal(onProcessor, onGpu);
        Assert.Equal(onProcessor.Distinct(), onProcessor);
    }

    private static async Task<IReadOnlyList<int>> FirstTokensAsync(TemporaryModel model, string device, string name)
    {
        await using var worker = WorkerProcess.Start(
            adjust: start => start.Environment[ChildLaunch.DeviceVariable] = device,
            worker: TinygradWorker.Name
        );
        await using var client = await worker.ConnectAsync(Token);
        Assert.Equal(name, (await client.ProbeAsync(Token)).Device);
        await client.LoadAsync(model.Spec(slots: 1, exact: true), Token);
        var request = model.Continue([5, 6, 7], new GenerationOptions(MaxTokens: 4));
        return [.. (await client.CompleteAsync(request, Token)).Ids];
    }
}

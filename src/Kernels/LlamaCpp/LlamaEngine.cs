using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>llama.cpp on the processor, by its prebuilt libraries.</summary>
internal sealed class LlamaEngine : IKernelEngine
{
    public EngineIdentity Identity { get; } = new("llama.cpp", LlamaLibrary.PinnedVersion, EngineCapabilities.Generate);

    public Task OpenAsync(CancellationToken cancellationToken) => OnThread(LlamaLibrary.Open);

    public unsafe EngineProbe Probe()
    {
        var device = Ggml.DeviceByType(Ggml.DeviceCpu);
        var memory = HostMemory.Read();
        return new EngineProbe(
            Marshal.PtrToStringUTF8((nint)Ggml.DeviceName(device)) ?? "",
            Marshal.PtrToStringUTF8((nint)Ggml.DeviceDescription(device)) ?? "",
            Environment.ProcessorCount,
            memory.TotalBytes,
            memory.AvailableBytes
        );
    }

    public async Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken)
    {
        SelfTestReport? report = null;
        await OnThread(() => report = SelfTest.Run());
        return report!;
    }

    public async Task<IModelShard> LoadAsync(LoadSpec spec, CancellationToken cancellationToken)
    {
        LlamaModel? model = null;
        await OnThread(() => model = ModelLoader.Load(spec));
        return model!;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Native calls may take long; they must not hold threads of the pool that the protocol needs.</summary>
    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}

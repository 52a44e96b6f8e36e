using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp;

/// <summary>llama.cpp on one device, by its prebuilt libraries. Metal is unverified on hardware.</summary>
/// <param name="device">As in <see cref="LlamaCppSettings.DeviceVariable"/>; null: the processor.</param>
internal sealed class LlamaEngine(string? device) : IKernelEngine
{
    private readonly int deviceType = device == LlamaCppSettings.Metal ? Ggml.DeviceGpu : Ggml.DeviceCpu;
    private readonly SharedWeights weights = new();

    public EngineIdentity Identity { get; } =
        new(
            LlamaCppSettings.Engine,
            LlamaLibrary.PinnedVersion,
            EngineCapabilities.Generate
                | EngineCapabilities.Adapters
                | EngineCapabilities.Grammars
                | EngineCapabilities.LogitRules
                | EngineCapabilities.Embeddings
        );

    public Task OpenAsync(CancellationToken cancellationToken)
    {
        // A device it does not know must not become the processor without a word.
        if (device is not (null or LlamaCppSettings.Cpu or LlamaCppSettings.Metal))
        {
            throw new EngineException(
                EngineErrorClass.EngineUnavailable,
                $"{LlamaCppSettings.DeviceVariable} is '{device}'; llama.cpp works on {LlamaCppSettings.Cpu} or {LlamaCppSettings.Metal}."
            );
        }
        return OnThread(() => LlamaLibrary.Open(deviceType));
    }

    public unsafe EngineProbe Probe()
    {
        var opened = Ggml.DeviceByType(deviceType);
        var memory = HostMemory.Read();
        return new EngineProbe(
            Marshal.PtrToStringUTF8((nint)Ggml.DeviceName(opened)) ?? "",
            Marshal.PtrToStringUTF8((nint)Ggml.DeviceDescription(opened)) ?? "",
            Environment.ProcessorCount,
            memory.TotalBytes,
            memory.AvailableBytes
        );
    }

    public async Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken)
    {
        SelfTestReport? report = null;
        await OnThread(() => report = SelfTest.Run(deviceType));
        return report!;
    }

    public async Task<IModelShard> LoadAsync(LoadSpec spec, CancellationToken cancellationToken)
    {
        LlamaModel? model = null;
        await OnThread(() => model = new ModelLoader(weights, deviceType).Load(spec));
        return model!;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Native calls may take long; they must not hold threads of the pool that the protocol needs.</summary>
    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}

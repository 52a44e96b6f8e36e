using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Torch.Weights;
using EgpuFleet.Kernels.Training;
using TorchSharp;

namespace EgpuFleet.Kernels.Torch.Worker;

/// <summary>libtorch on the processor. It trains; generating is the affair of the other engines.</summary>
internal sealed class TorchEngine : IKernelEngine
{
    public const string Name = "torch";

    public EngineIdentity Identity { get; } = new(Name, torch.__version__, EngineCapabilities.Train);

    public Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            torch.InitializeDeviceType(DeviceType.CPU);
            return Task.CompletedTask;
        }
        catch (Exception exception)
            when (exception is DllNotFoundException or NotSupportedException or TypeInitializationException)
        {
            throw new EngineException(
                EngineErrorClass.EngineUnavailable,
                $"libtorch cannot be loaded: {exception.Message}",
                innerException: exception
            );
        }
    }

    public EngineProbe Probe()
    {
        var memory = HostMemory.Read();
        return new EngineProbe("CPU", "CPU", Environment.ProcessorCount, memory.TotalBytes, memory.AvailableBytes);
    }

    public async Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken)
    {
        using var thread = new TorchThread(1);
        return await thread.RunAsync(SelfTest.Run);
    }

    public Task<IModelShard> LoadAsync(LoadSpec spec, CancellationToken cancellationToken) =>
        throw new EngineException(EngineErrorClass.InvalidRequest, "torch trains here; it does not generate.");

    public Task<TrainEstimate> EstimateTrainingAsync(TrainSpec spec, CancellationToken cancellationToken)
    {
        using var source = ModelOnDisk.Open(spec.Path);
        return Task.FromResult(Estimate(source, spec));
    }

    public async Task<ITrainingSession> OpenTrainingAsync(TrainSpec spec, CancellationToken cancellationToken)
    {
        using var source = ModelOnDisk.Open(spec.Path);
        var estimate = Estimate(source, spec);
        return estimate.MemoryBytes <= estimate.AvailableBytes
            ? await TorchSession.OpenAsync(spec, source, estimate, cancellationToken)
            : throw TrainMemory.Refusal(source.Config, spec, estimate);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static TrainEstimate Estimate(IWeightSource source, TrainSpec spec)
    {
        var config = source.Config;
        return spec.RowTokens <= config.Context
            ? TrainMemory.Of(config, spec, HostMemory.Read().AvailableBytes)
            : throw new EngineException(
                EngineErrorClass.InvalidRequest,
                $"Rows of {spec.RowTokens} tokens are longer than the model's context of {config.Context}.",
                spec.RowTokens,
                config.Context
            );
    }
}

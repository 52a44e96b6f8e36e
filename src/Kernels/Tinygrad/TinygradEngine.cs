using System.Text.Json;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Text;
using EgpuFleet.Kernels.Tinygrad.Child;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tinygrad;

/// <summary>
/// tinygrad, in a Python process of its own that knows token ids and tensors; text, and all that is known of a file before it
/// is loaded, is this side's affair.
/// </summary>
internal sealed class TinygradEngine(ChildLaunch launch) : IKernelEngine
{
    private readonly CancellationTokenSource broken = new();
    private PythonChild? child;
    private ChildProbe? device;

    public EngineIdentity Identity { get; } =
        new(
            TinygradSettings.Engine,
            TinygradSettings.PinnedCommit,
            EngineCapabilities.Generate | EngineCapabilities.Tune | EngineCapabilities.Train
        );

    /// <summary>
    /// Fires when the child has ended by itself: whatever the device was doing, nothing is retried in this process.
    /// </summary>
    public CancellationToken Broken => broken.Token;

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        child = await PythonChild.StartAsync(launch, cancellationToken);
        child.Ended.Register(broken.Cancel);
        try
        {
            var hello = await child.AskAsync("hello", ChildJson.Default.ChildHello, cancellationToken);
            if (hello.Protocol != Limits.ChildProtocol)
                throw Unavailable($"It speaks protocol {hello.Protocol}, not {Limits.ChildProtocol}.");
            device = await child.AskAsync("probe", ChildJson.Default.ChildProbe, cancellationToken);
        }
        catch (EngineException exception) when (exception.ErrorClass != EngineErrorClass.EngineUnavailable)
        {
            throw Unavailable(exception.Message, exception);
        }
    }

    public EngineProbe Probe()
    {
        var opened = device ?? throw Unavailable("It is not open.");
        var memory = HostMemory.Read();
        return new EngineProbe(
            opened.Device,
            opened.Arch is null ? opened.Device : $"{opened.Device} {opened.Arch}",
            Environment.ProcessorCount,
            // 0 for a GPU that does not say: the machine's memory is not its own.
            opened.VramBytes
                ?? opened.CapacityBytes
                ?? 0,
            opened.VramBytes is { } vram ? vram - opened.MemoryUsedBytes : memory.AvailableBytes,
            opened.TuningClass
        );
    }

    public async Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken)
    {
        var report = await Child().AskAsync("selftest", ChildJson.Default.ChildSelfTest, cancellationToken);
        return new SelfTestReport(report.Passed, report.Values, report.LargestRelativeError, report.Text);
    }

    public async Task<DeviceCall?> DeviceCallAsync(CancellationToken cancellationToken) =>
        child is { } asked
            ? (await asked.AskAsync("stats", ChildJson.Default.ChildStats, cancellationToken)).DeviceCall
            : null;

    public async Task<TuningsTaken> UseTuningsAsync(
        IReadOnlyList<KernelOpts> tunings,
        CancellationToken cancellationToken
    )
    {
        string[][] pairs = [.. tunings.Select(one => new[] { one.Kernel, one.Opts })];
        var body = JsonSerializer.SerializeToUtf8Bytes(pairs, ChildJson.Default.StringArrayArray);
        return await Child().AskAsync("use_tunings", body, ChildJson.Default.TuningsTaken, cancellationToken);
    }

    public async Task<TuningStats?> TuningStatsAsync(CancellationToken cancellationToken)
    {
        if (child is not { } asked)
            return null;
        var stats = await asked.AskAsync("stats", ChildJson.Default.ChildStats, cancellationToken);
        return new TuningStats(
            stats.TunedKernels,
            stats.TuningMisses,
            stats.TuningRejected,
            stats.KernelsSearched,
            stats.CandidatesTimed
        );
    }

    public async Task<IModelShard> LoadAsync(LoadSpec spec, CancellationToken cancellationToken)
    {
        var (file, tokenizer) = ModelFile.Read(spec.Path, reader => (ModelFile.Of(reader), GgufTokenizer.From(reader)));
        file.RequireExactable(spec);
        var exact = spec.Exact ?? (file.AllF32 && device?.VramBytes is null);
        var wanted = new ChildLoad(
            spec.ContentHash,
            spec.Path,
            spec.ContextTokens,
            spec.Slots,
            exact ? "f32" : "f16",
            exact
        );
        var loaded = await Child()
            .AskAsync("load", wanted, ChildJson.Default.ChildLoad, ChildJson.Default.ChildLoaded, cancellationToken);
        if (loaded.Vocabulary != tokenizer.Size)
            throw new EngineException(
                EngineErrorClass.ModelInvalid,
                $"The model has logits for {loaded.Vocabulary} tokens and names for {tokenizer.Size}."
            );
        var chats = new ChatPrompts(file.ChatTemplate, new(NameOf(tokenizer.Bos), NameOf(tokenizer.Eos)));
        var info = new ModelInfo(
            spec.ContentHash,
            loaded.Architecture,
            $"{loaded.Architecture} {file.Facts.FileType} on {device!.Device}",
            file.Facts.Parameters,
            loaded.Layers,
            loaded.Vocabulary,
            loaded.TrainedContextTokens,
            loaded.ContextTokens,
            spec.Slots,
            spec.Threads,
            loaded.WeightBytes,
            loaded.KvBytes,
            loaded.TotalBytes,
            exact,
            chats.HasTemplate
        );
        return new TinygradModel(Child(), tokenizer, chats, info);

        string NameOf(int? token) => token is { } id ? tokenizer.NameOf(id) : "";
    }

    public Task<TrainEstimate> EstimateTrainingAsync(TrainSpec spec, CancellationToken cancellationToken) =>
        TinygradTraining.EstimateAsync(Child(), spec, cancellationToken);

    public async Task<ITrainingSession> OpenTrainingAsync(TrainSpec spec, CancellationToken cancellationToken) =>
        await TinygradTraining.OpenAsync(Child(), spec, cancellationToken);

    /// <summary>
    /// Lets the child end at once, before running calls are waited for: one that hangs in its device takes its whole time to
    /// end, and the device stays locked until then.
    /// </summary>
    public void Stop() => child?.Stop();

    public async ValueTask DisposeAsync()
    {
        if (child is { } mine)
        {
            child = null;
            await mine.DisposeAsync();
        }
    }

    private PythonChild Child() => child ?? throw Unavailable("It is not open.");

    private static EngineException Unavailable(string text, Exception? inner = null) =>
        new(EngineErrorClass.EngineUnavailable, $"tinygrad cannot be used here: {text}", innerException: inner);
}

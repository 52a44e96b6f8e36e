using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Measuring;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Workers;
using FleetRequest = EgpuFleet.Grains.Interfaces.Serving.GenerateRequest;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>One device of this node with all that serves it: worker, models, shards, interactive generations.</summary>
internal sealed class LocalDevice(
    DeviceFacts facts,
    DeviceMemory memory,
    BringUp bringUp,
    WorkerSupervisor supervisor,
    LoadedModels models,
    ShardRunner shards,
    Generator generator,
    ThroughputMeter meter,
    LiveSpeeds live,
    SleepWatch watch,
    SpeedBook book,
    IdleMeasuring? measuring,
    DeviceBench bench,
    TimeProvider time,
    ChangeSignal changes
)
{
    private readonly DeviceHolds holds = new(supervisor.Hold);
    private volatile bool wantsOut;
    private DateTimeOffset heldSince;

    public DeviceFacts Facts => facts with { MemoryBytes = memory.Bytes };

    public WorkerSupervisor Supervisor => supervisor;

    public LoadedModels Models => models;

    public ShardRunner Shards => shards;

    /// <summary>Keeps its worker alive, and measures it when it is idle or its owner asks for it, until the token fires.</summary>
    public Task RunAsync(CancellationToken stopping) =>
        Task.WhenAll(
            supervisor.RunAsync(stopping),
            measuring?.RunAsync(stopping) ?? Task.CompletedTask,
            bench.RunAsync(stopping)
        );

    /// <summary>What keeps it from working, with the fix; null while nothing does.</summary>
    public NodeCondition? Condition()
    {
        var life = supervisor.Life;
        if (life.Trouble is { } trouble)
            return NodeConditions.Of(facts.Device.Name, trouble);
        return life.Hold is { Fix: not null } hold ? NodeConditions.Of(facts.Device.Name, hold, heldSince) : null;
    }

    /// <summary>Keeps the device without a worker; what runs there ends at once.</summary>
    public void Hold(WorkerHold hold)
    {
        heldSince = time.GetUtcNow();
        holds.Add(hold);
        // A cable that is only played as pulled takes nothing but the worker: the rest is what is rehearsed.
        if (hold.Kind != HoldKind.Rehearsal)
            shards.Drop(hold.Reason);
    }

    /// <summary>Takes a hold away; the device is tested before it serves again.</summary>
    public void Release(HoldKind kind) => holds.Remove(kind);

    public bool IsHeld(HoldKind kind) => holds.Has(kind);

    /// <summary>
    /// Makes the device safe to unplug: takes no more work, gives back what there is, then ends the worker. Returns when that
    /// is under way to its end; does nothing when it was asked before.
    /// </summary>
    public async Task EjectAsync()
    {
        const string Reason = "Its owner is ejecting it.";
        if (wantsOut)
            return;
        wantsOut = true;
        changes.Raise();
        await shards.GiveBackAsync(Reason);
        if (wantsOut)
            holds.Add(DeviceReasons.Ejected);
    }

    /// <summary>Keeps a device out that was ejected before this agent started.</summary>
    public void HoldEjected()
    {
        wantsOut = true;
        holds.Add(DeviceReasons.Ejected);
    }

    /// <summary>Takes an ejection back.</summary>
    public void Attach()
    {
        wantsOut = false;
        shards.Reopen();
        holds.Remove(HoldKind.Ejected);
        changes.Raise();
    }

    /// <summary>Begins a measurement, where it has nothing else to do.</summary>
    /// <returns>In one sentence, why not; null: it begins.</returns>
    public string? StartBench()
    {
        if (shards.Running is { Length: > 0 } running)
            return $"Shards run on it or wait for their turn, {running.Length} in all: ask again when it is idle.";
        return bringUp.Now is { } phase ? $"It is {phase.Phase}: ask again when that is over." : bench.Start();
    }

    private string? ReasonOf(WorkerLife life, bool hasWorker) =>
        wantsOut && life.Phase != WorkerPhase.Held ? "Its owner is ejecting it."
        : life.Phase == WorkerPhase.Ready && !hasWorker ? "Its worker is gone."
        : life.Reason;

    /// <summary>How the device is now.</summary>
    public DeviceStatus Status()
    {
        var life = supervisor.Life;
        var hasWorker = supervisor.Worker is not null;
        var (hashes, memoryBytes) = hasWorker ? models.Now : ([], 0);
        return new DeviceStatus(
            Facts,
            DeviceStates.Of(life, hasWorker, wantsOut, supervisor.IsEnding),
            ReasonOf(life, hasWorker) is { } reason ? Limits.Clip(reason) : null,
            life.Phase == WorkerPhase.Held && !supervisor.IsEnding ? 0 : supervisor.ProcessId,
            meter.TokensPerSecond,
            memoryBytes,
            hashes,
            shards.Running,
            meter.Active,
            book.Now,
            live.Now,
            bringUp.Now,
            hasWorker ? models.Tuning : null,
            bench.Now
        );
    }

    /// <summary>
    /// Streams one interactive generation. The work runs off the caller's turn; a reader that is slow holds up its own stream
    /// only, and one that leaves ends it within a token.
    /// </summary>
    /// <exception cref="GenerationException">It cannot be served, or not here.</exception>
    public async IAsyncEnumerable<TokenChunk> GenerateAsync(
        FleetRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var sleeps = watch.Look();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var chunks = Channel.CreateBounded<TokenChunk>(Limits.StreamChunks);
        var work = Task.Run(() => ProduceAsync(request, sleeps, chunks.Writer, leaving.Token), CancellationToken.None);
        try
        {
            await foreach (var chunk in chunks.Reader.ReadAllAsync(cancellationToken))
            {
                CheckAwake(sleeps);
                yield return chunk;
            }
        }
        finally
        {
            await leaving.CancelAsync();
            await work;
        }
    }

    /// <summary>Makes vectors of texts, off the caller's turn.</summary>
    /// <exception cref="GenerationException">It cannot be done, or not here.</exception>
    public IAsyncEnumerable<TextVector> EmbedAsync(EmbedRequest request, CancellationToken cancellationToken) =>
        new EmbeddingRun(supervisor.Worker, models, request).RunAsync(cancellationToken);

    /// <summary>Never faults: its failure completes the channel.</summary>
    private async Task ProduceAsync(
        FleetRequest request,
        int sleeps,
        ChannelWriter<TokenChunk> chunks,
        CancellationToken cancellationToken
    )
    {
        using var activity = AgentTelemetry.Source.StartActivity("generate");
        activity?.SetTag("egpufleet.request", request.RequestId);
        activity?.SetTag("egpufleet.device", facts.Device.ToString());
        try
        {
            await StreamAsync(request, sleeps, chunks, cancellationToken);
            chunks.Complete();
        }
        catch (EngineException e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            chunks.Complete(EngineErrors.ToGeneration(e));
        }
        catch (Exception e) when (e is GenerationException or OperationCanceledException)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            chunks.Complete(e);
        }
    }

    private async Task StreamAsync(
        FleetRequest request,
        int sleeps,
        ChannelWriter<TokenChunk> chunks,
        CancellationToken cancellationToken
    )
    {
        var worker =
            supervisor.Worker
            ?? throw new GenerationException(
                "device_not_ready",
                $"{facts.Device} has no ready worker.",
                retryable: true
            );
        using var model = await models.AcquireAsync(request.Model, worker, cancellationToken);
        var tokens = generator.RunAsync(
            worker,
            request.Model.Sha256,
            Prompts.Of(request.Prompt, request.TokenIds, request.Messages, request.Chat),
            request.Parameters,
            GenerationPriority.Interactive,
            cancellationToken
        );
        var maker = new ChunkMaker();
        await foreach (var token in tokens)
        {
            CheckAwake(sleeps);
            if (token.FinishReason is FinishReason.Cancelled)
                throw new EngineException(EngineErrorClass.Cancelled, "The worker gave the request up.");
            if (maker.Take(token) is { } chunk)
                await chunks.WriteAsync(chunk, cancellationToken);
        }
    }

    /// <summary>A stream has no lease that could be confirmed: after a sleep its caller has moved on, or should.</summary>
    private void CheckAwake(int sleeps)
    {
        if (watch.Look() == sleeps)
            return;
        throw new GenerationException(
            "node_slept",
            $"{facts.Device} slept in the middle of the stream.",
            retryable: true
        );
    }
}

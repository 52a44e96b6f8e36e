using System.Security.Cryptography;
using EgpuFleet.Benchmarks.Engine;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Training;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Benchmarks.Checkpoints;

/// <summary>
/// A full fine-tuning on one thread of the Torch engine, whose checkpoints an agent takes and sends at its own pace: how
/// long training stands still for them, and how much slower a step is while one travels.
/// </summary>
/// <param name="seconds">Of training, the warm-up of the engine not counted.</param>
internal sealed class StallRun(Uri gateway, TrainingLease lease, int seconds, TimeProvider clock)
{
    private const string Torch = "EgpuFleet.Kernels.Torch";
    private const int Rows = 4;
    private const int RowTokens = 128;
    private const int WarmUpSteps = 2;

    /// <summary>The usual longest time between two checkpoints of a job.</summary>
    private const int CeilingSeconds = 60;

    /// <summary>Seventeen million weights: a state of 200 MB.</summary>
    private static readonly SyntheticShape Shape = new("llama")
    {
        Layers = 6,
        Width = 512,
        Hidden = 1_280,
        Heads = 8,
        KvHeads = 8,
        HeadWidth = 64,
        RotatedWidth = 64,
    };

    private bool _isTravelling;

    /// <param name="credential">File of the node's.</param>
    public async Task RunAsync(
        ScratchFolder scratch,
        string credential,
        FigureBook figures,
        CancellationToken cancellationToken
    )
    {
        var path = scratch.At("trained.gguf");
        new SyntheticModel(Shape).Write(path);
        await using var services = new ServiceCollection()
            .AddLogging(logging => logging.ClearProviders())
            .AddGatewayHttp([gateway], NodeCredential.ReadOrCreate(credential))
            .BuildServiceProvider();
        var towards = new TrainingGateway(services.GetRequiredService<IHttpClientFactory>(), clock);
        await using var worker = await EngineWorker.StartAsync(Torch, scratch, clock, cancellationToken);
        var hash = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path, cancellationToken)));
        var spec = new TrainSpec(path, hash, 1, TrainMethod.Full, null, RowTokens, Rows, new AdamSettings(), Seed: 1);
        await using var session = await worker.OpenTrainingAsync(spec, cancellationToken);
        for (var step = 0; step < WarmUpSteps; step++)
            await session.StepAsync(Batch(), 1e-4, cancellationToken);
        var folder = new TrainingFolder(scratch.At("states"));
        folder.Begin();
        await using var notes = new NoteOutbox(
            towards,
            new LeaseKey(lease.Shard, lease.Epoch, new DeviceId(new NodeId(BenchFleet.Node), "cpu")),
            clock
        );
        var line = new CheckpointLine(
            towards,
            lease,
            folder,
            new CheckpointPace(TimeSpan.FromSeconds(CeilingSeconds)),
            notes,
            () =>
            {
                _isTravelling = false;
                return Task.CompletedTask;
            },
            clock,
            parent: null
        );
        await TrainAsync(session, line, RunState.Start(hash, hash), figures, cancellationToken);
        folder.End();
    }

    private async Task TrainAsync(
        ITrainingSession session,
        CheckpointLine line,
        RunState state,
        FigureBook figures,
        CancellationToken cancellationToken
    )
    {
        var (alone, beside) = (new List<double>(), new List<double>());
        var saves = 0;
        var began = clock.GetTimestamp();
        while (clock.GetElapsedTime(began).TotalSeconds < seconds)
        {
            var (from, wasTravelling) = (clock.GetTimestamp(), _isTravelling);
            var done = await session.StepAsync(Batch(), 1e-4, cancellationToken);
            (wasTravelling || _isTravelling ? beside : alone).Add(clock.GetElapsedTime(from).TotalSeconds);
            state = state with { Step = done.Step };
            if (!line.IsDue)
                continue;
            _isTravelling = true;
            await line.SaveAsync(session, state, new Dictionary<string, double>(), cancellationToken);
            saves++;
        }
        var elapsed = clock.GetElapsedTime(began);
        await line.ArrivedAsync();
        figures.Add("stall_share", line.Stall / elapsed);
        figures.Add("stall_ms", line.Stall.TotalMilliseconds / saves);
        figures.Add("stall_saves", saves);
        figures.Add("step_ms", Middle(alone) * 1000);
        figures.Add("step_beside_ms", Middle(beside) * 1000);
    }

    private static double Middle(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static TrainBatch Batch()
    {
        int[] ids = [.. Enumerable.Range(0, Rows * RowTokens).Select(i => i * 31 % ByteVocabulary.Size)];
        return new TrainBatch(Rows, RowTokens, ids, [.. ids.Reverse()], new int[ids.Length]);
    }
}

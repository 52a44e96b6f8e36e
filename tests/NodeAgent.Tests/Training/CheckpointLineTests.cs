using System.Net;
using System.Net.Http.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.NodeAgent.Tests.Training;

/// <summary>Checkpoints of a run whose states no disk takes.</summary>
public sealed class CheckpointLineTests : IAsyncDisposable
{
    private static readonly LeaseKey Lease = new(
        new ShardId(JobId.New(DateTimeOffset.UnixEpoch), 0),
        1,
        new DeviceId(new NodeId("node-1"), "cpu")
    );

    private readonly AdvancingTime time = new();
    private readonly List<TrainingNote> told = [];
    private readonly FullDisk session = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_state_that_cannot_be_written_is_left_out_and_told_of_once()
    {
        using var folder = new TempFolder();
        await using (var notes = Notes())
        {
            var line = Line(folder, notes);
            for (var step = 1; step <= 3; step++)
                Assert.False(await line.SaveAsync(session, At(step), new Dictionary<string, double>(), Token));
            Assert.Null(line.LastStep);
            await notes.TakenAsync();
        }
        var note = Assert.Single(told);
        Assert.Equal((TrainingNoteKind.Warning, 1), (note.Kind, note.Step));
        Assert.Contains(FullDisk.Words, note.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_one_is_waited_for_but_not_for_ever()
    {
        using var folder = new TempFolder();
        await using var notes = Notes();
        var line = Line(folder, notes);

        var refused = await Assert.ThrowsAsync<EngineException>(() =>
            line.SaveLastAsync(session, At(9), new Dictionary<string, double>(), Token)
        );

        Assert.Equal(EngineErrorClass.FileFailed, refused.ErrorClass);
        Assert.True(refused.Retryable);
        Assert.InRange(session.Tries, 2, (Limits.StateFileWait / Limits.CheckpointRetry) + 1);
    }

    public async ValueTask DisposeAsync() => await session.DisposeAsync();

    private static RunState At(long step) => RunState.Start("base", "data") with { Step = step };

    // Real time: nobody waits here for anything but an answer.
    private NoteOutbox Notes() => new(new TrainingGateway(new Gateway(told), time), Lease, TimeProvider.System);

    private CheckpointLine Line(TempFolder folder, NoteOutbox notes) =>
        new(
            new TrainingGateway(new Gateway(told), time),
            new TrainingLease(Lease.Shard, Lease.Epoch),
            new TrainingFolder(folder.At("training")),
            new CheckpointPace(TimeSpan.FromSeconds(1)),
            notes,
            () => Task.CompletedTask,
            time,
            parent: null
        );

    /// <summary>A fake session whose states no disk takes.</summary>
    private sealed class FullDisk : ITrainingSession
    {
        public const string Words = "No space left on device";

        public int Tries { get; private set; }

        public TrainInfo Info => throw new NotSupportedException();

        public Task<TrainSaved> SaveAsync(string path, bool weightsOnly, CancellationToken cancellationToken)
        {
            Tries++;
            throw new EngineException(EngineErrorClass.FileFailed, Words);
        }

        public Task<TrainStep> StepAsync(TrainBatch batch, double learningRate, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<TrainEvaluation> EvaluateAsync(TrainBatch batch, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<TrainGradients> BackwardAsync(TrainBatch batch, string path, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public Task<TrainStep> UpdateAsync(
            string path,
            long trainedTokens,
            double learningRate,
            CancellationToken cancellationToken
        ) => throw new NotSupportedException();

        public Task RestoreAsync(string path, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<int>> ContinueAsync(
            IReadOnlyList<int> prompt,
            int maxTokens,
            IReadOnlyList<int> stops,
            CancellationToken cancellationToken
        ) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Takes notes.</summary>
    private sealed class Gateway(List<TrainingNote> told) : HttpMessageHandler, IHttpClientFactory
    {
        public HttpClient CreateClient(string name) =>
            new(this, disposeHandler: false) { BaseAddress = new Uri("http://gateway") };

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var body = await request.Content!.ReadFromJsonAsync<TrainingNotes>(TrainingJson.Options, cancellationToken);
            told.AddRange(body!.Notes);
            return new HttpResponseMessage(HttpStatusCode.NoContent);
        }
    }
}

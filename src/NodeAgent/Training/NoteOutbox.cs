using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// Notes of a run on their way to the gateway, in order, some at a time. Training never waits for them: while nobody takes
/// any, the oldest are forgotten first.
/// </summary>
internal sealed class NoteOutbox : IAsyncDisposable
{
    private readonly TrainingGateway gateway;
    private readonly LeaseKey lease;
    private readonly CancellationTokenSource ending;
    private readonly Channel<TrainingNote> notes = Channel.CreateBounded<TrainingNote>(
        new BoundedChannelOptions(Limits.WaitingNotes)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        }
    );
    private readonly Task sending;

    public NoteOutbox(TrainingGateway gateway, LeaseKey lease, TimeProvider time)
    {
        (this.gateway, this.lease) = (gateway, lease);
        ending = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        sending = Task.Run(SendAllAsync);
    }

    public void Say(long step, string text) =>
        Add(new TrainingNote(TrainingNoteKind.Message, step, Limits.Clip(text), null));

    public void Warn(long step, string text) =>
        Add(new TrainingNote(TrainingNoteKind.Warning, step, Limits.Clip(text), null));

    public void Tell(long step, IReadOnlyDictionary<string, double> metrics) =>
        Add(new TrainingNote(TrainingNoteKind.Metrics, step, null, metrics));

    /// <summary>Sends what there is, but does not stay for a gateway that does not answer.</summary>
    public async ValueTask DisposeAsync()
    {
        notes.Writer.TryComplete();
        ending.CancelAfter(Limits.LastNotesTimeout);
        await sending;
        ending.Dispose();
    }

    private void Add(TrainingNote note) => notes.Writer.TryWrite(note);

    /// <summary>Never faults.</summary>
    private async Task SendAllAsync()
    {
        try
        {
            while (await notes.Reader.WaitToReadAsync(ending.Token))
            {
                var batch = new List<TrainingNote>();
                while (batch.Count < Limits.NotesPerRequest && notes.Reader.TryRead(out var note))
                    batch.Add(note);
                await gateway.TakeNotesAsync(lease, batch, ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody took them in time: the run goes on elsewhere and says the same again.
        }
    }
}

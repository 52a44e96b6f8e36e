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
    private readonly TimeProvider time;
    private readonly Channel<Entry> entries = Channel.CreateBounded<Entry>(
        new BoundedChannelOptions(Limits.WaitingNotes)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        },
        dropped => dropped.Mark?.TrySetResult()
    );
    private readonly Task sending;

    public NoteOutbox(TrainingGateway gateway, LeaseKey lease, TimeProvider time)
    {
        (this.gateway, this.lease, this.time) = (gateway, lease, time);
        ending = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        sending = Task.Run(SendAllAsync);
    }

    public void Say(long step, string text) =>
        Add(new TrainingNote(TrainingNoteKind.Message, step, Limits.Clip(text), null));

    public void Warn(long step, string text) =>
        Add(new TrainingNote(TrainingNoteKind.Warning, step, Limits.Clip(text), null));

    public void Tell(long step, IReadOnlyDictionary<string, double> metrics) =>
        Add(new TrainingNote(TrainingNoteKind.Metrics, step, null, metrics));

    /// <summary>
    /// Returns when all that was said so far was taken, refused or forgotten, or nobody has taken it for a while. A run that
    /// goes on behind a checkpoint does not say again what came before it.
    /// </summary>
    public async Task TakenAsync()
    {
        var mark = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!entries.Writer.TryWrite(new Entry(null, mark)))
            return;
        await Task.WhenAny(mark.Task, Task.Delay(Limits.NotesBeforeCheckpoint, time));
    }

    /// <summary>Sends what there is, but does not stay for a gateway that does not answer.</summary>
    public async ValueTask DisposeAsync()
    {
        entries.Writer.TryComplete();
        ending.CancelAfter(Limits.LastNotesTimeout);
        await sending;
        ending.Dispose();
    }

    private void Add(TrainingNote note) => entries.Writer.TryWrite(new Entry(note, null));

    /// <summary>Never faults.</summary>
    private async Task SendAllAsync()
    {
        try
        {
            while (await entries.Reader.WaitToReadAsync(ending.Token))
            {
                var batch = new List<Entry>();
                while (batch.Count < Limits.NotesPerRequest && entries.Reader.TryRead(out var entry))
                    batch.Add(entry);
                TrainingNote[] notes = [.. batch.Select(entry => entry.Note).OfType<TrainingNote>()];
                if (notes.Length > 0)
                    await gateway.TakeNotesAsync(lease, notes, ending.Token);
                foreach (var entry in batch)
                    entry.Mark?.TrySetResult();
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody took them in time: the run goes on elsewhere and says the same again.
        }
    }

    /// <summary>A note, or a mark that somebody waits for.</summary>
    private readonly record struct Entry(TrainingNote? Note, TaskCompletionSource? Mark);
}

using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.Benchmarks.Checkpoints;

/// <summary>One state written and read by both sides. Rates are in MB/s of the state.</summary>
internal sealed class CheckpointRound(CheckpointClient client, RawChunks raw, TrainingLease lease, TimeProvider clock)
{
    private long _step;

    public async Task RunAsync(NamedBuffer[] state, bool isRawFirst, FigureBook figures, CancellationToken token)
    {
        var megabytes = state.Sum(buffer => (double)buffer.Data.Length) / 1e6;
        var sides = new Func<Task<(double Write, double Read)>>[]
        {
            () => RawAsync(state, token),
            () => OursAsync(state, figures, token),
        };
        var seconds = new (double Write, double Read)[sides.Length];
        foreach (var side in isRawFirst ? (int[])[0, 1] : [1, 0])
        {
            await raw.ClearAsync(token);
            seconds[side] = await sides[side]();
        }
        await raw.ClearAsync(token);
        figures.Add("write_ratio", seconds[0].Write / seconds[1].Write);
        figures.Add("read_ratio", seconds[0].Read / seconds[1].Read);
        figures.Add("write_mb_s", megabytes / seconds[1].Write);
        figures.Add("raw_write_mb_s", megabytes / seconds[0].Write);
        figures.Add("read_mb_s", megabytes / seconds[1].Read);
        figures.Add("raw_read_mb_s", megabytes / seconds[0].Read);
    }

    private async Task<(double Write, double Read)> RawAsync(NamedBuffer[] state, CancellationToken token)
    {
        var chunks = RawChunks.Cut(state.Select(buffer => buffer.Data), CheckpointClient.ChunkBytes);
        var write = await TimeAsync(() => raw.WriteAsync(chunks, token));
        var came = 0L;
        var read = await TimeAsync(async () => came = await raw.ReadAsync(token));
        if (came < state.Sum(buffer => (long)buffer.Data.Length))
            throw new InvalidOperationException("The copy came back short.");
        return (write, read);
    }

    /// <summary>Hashing, asking and sealing are part of it; so is the comparison of what comes back.</summary>
    private async Task<(double Write, double Read)> OursAsync(
        NamedBuffer[] state,
        FigureBook figures,
        CancellationToken token
    )
    {
        SavedCheckpoint? saved = null;
        var write = await TimeAsync(async () => saved = await SaveAsync(state, token));
        var again = default(SavedCheckpoint);
        var unchanged = await TimeAsync(async () => again = await SaveAsync(state, token));
        if (saved!.SentBytes != saved.SizeBytes || again!.SentBytes != 0)
            throw new InvalidOperationException("A new state is sent whole, and an unchanged one not at all.");
        figures.Add("unchanged_save_ms", unchanged * 1000);
        var places = state.ToDictionary(buffer => buffer.Name, buffer => new byte[buffer.Data.Length]);
        // Memory that was never touched would be paid for here.
        foreach (var place in places.Values)
            place.AsSpan().Fill(1);
        var read = await TimeAsync(() => client.RestoreAsync(lease.Shard, tensor => places[tensor.Name], token));
        foreach (var buffer in state)
        {
            if (!buffer.Data.Span.SequenceEqual(places[buffer.Name]))
                throw new InvalidOperationException($"{buffer.Name} came back changed.");
        }
        return (write, read);
    }

    private Task<SavedCheckpoint> SaveAsync(NamedBuffer[] state, CancellationToken token) =>
        client.SaveAsync(lease, new TrainingState(++_step, null, state), token);

    private async Task<double> TimeAsync(Func<Task> work)
    {
        var start = clock.GetTimestamp();
        await work();
        return clock.GetElapsedTime(start).TotalSeconds;
    }
}

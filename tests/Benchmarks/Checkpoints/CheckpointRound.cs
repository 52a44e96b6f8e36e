using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.Benchmarks.Checkpoints;

/// <summary>An agent's way to the store.</summary>
/// <param name="Prefix">Of its figures.</param>
internal sealed record CheckpointSide(string Prefix, CheckpointClient Client);

/// <summary>One state written and read by all sides, in turn. Rates are in MB/s of the state.</summary>
internal sealed class CheckpointRound(
    IReadOnlyList<CheckpointSide> ours,
    RawChunks raw,
    TrainingLease lease,
    TimeProvider clock
)
{
    private long _step;

    public async Task RunAsync(NamedBuffer[] state, bool isRawFirst, FigureBook figures, CancellationToken token)
    {
        var megabytes = state.Sum(buffer => (double)buffer.Data.Length) / 1e6;
        var places = state.ToDictionary(buffer => buffer.Name, buffer => new byte[buffer.Data.Length]);
        var bare = new byte[state.Sum(buffer => buffer.Data.Length)];
        // Memory that was never touched would be paid for by who reads into it first.
        foreach (var place in places.Values.Append(bare))
            place.AsSpan().Fill(1);
        Func<Task<Seconds>>[] sides =
        [
            () => RawAsync(state, bare, token),
            .. ours.Select<CheckpointSide, Func<Task<Seconds>>>(side =>
                () => OursAsync(side, state, places, figures, token)
            ),
        ];
        var seconds = new Seconds[sides.Length];
        foreach (
            var side in isRawFirst ? Enumerable.Range(0, sides.Length) : Enumerable.Range(0, sides.Length).Reverse()
        )
        {
            await raw.ClearAsync(token);
            seconds[side] = await sides[side]();
        }
        await raw.ClearAsync(token);
        foreach (var (side, took) in ours.Zip(seconds.Skip(1)))
        {
            figures.Add(side.Prefix + "write_ratio", seconds[0].Write / took.Write);
            figures.Add(side.Prefix + "read_ratio", seconds[0].Read / took.Read);
            figures.Add(side.Prefix + "write_mb_s", megabytes / took.Write);
            figures.Add(side.Prefix + "read_mb_s", megabytes / took.Read);
        }
        figures.Add("raw_write_mb_s", megabytes / seconds[0].Write);
        figures.Add("raw_read_mb_s", megabytes / seconds[0].Read);
    }

    private async Task<Seconds> RawAsync(NamedBuffer[] state, byte[] places, CancellationToken token)
    {
        var chunks = RawChunks.Cut(state.Select(buffer => buffer.Data), CheckpointClient.ChunkBytes);
        var write = await TimeAsync(() => raw.WriteAsync(chunks, token));
        var came = 0L;
        var read = await TimeAsync(async () => came = await raw.ReadAsync(places, token));
        if (came < places.Length)
            throw new InvalidOperationException("The copy came back short.");
        return new Seconds(write, read);
    }

    /// <summary>Hashing, asking and sealing are part of it; so is the comparison of what comes back.</summary>
    private async Task<Seconds> OursAsync(
        CheckpointSide side,
        NamedBuffer[] state,
        Dictionary<string, byte[]> places,
        FigureBook figures,
        CancellationToken token
    )
    {
        SavedCheckpoint? saved = null;
        var write = await TimeAsync(async () => saved = await SaveAsync(side, state, token));
        var again = default(SavedCheckpoint);
        var unchanged = await TimeAsync(async () => again = await SaveAsync(side, state, token));
        if (saved!.SentBytes != saved.SizeBytes || again!.SentBytes != 0)
            throw new InvalidOperationException("A new state is sent whole, and an unchanged one not at all.");
        figures.Add(side.Prefix + "unchanged_save_ms", unchanged * 1000);
        var read = await TimeAsync(() => side.Client.RestoreAsync(lease.Shard, one => places[one.Name], token));
        foreach (var buffer in state)
        {
            if (!buffer.Data.Span.SequenceEqual(places[buffer.Name]))
                throw new InvalidOperationException($"{buffer.Name} came back changed.");
        }
        return new Seconds(write, read);
    }

    private Task<SavedCheckpoint> SaveAsync(CheckpointSide side, NamedBuffer[] state, CancellationToken token) =>
        side.Client.SaveAsync(lease, new TrainingState(++_step, null, state), token);

    private async Task<double> TimeAsync(Func<Task> work)
    {
        var start = clock.GetTimestamp();
        await work();
        return clock.GetElapsedTime(start).TotalSeconds;
    }

    private readonly record struct Seconds(double Write, double Read);
}

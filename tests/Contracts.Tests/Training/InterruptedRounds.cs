using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Training;

/// <summary>
/// A store whose caller dies at one of its calls of a closing: before it takes effect, or after, when nobody hears the answer.
/// </summary>
internal sealed class InterruptedRounds(IRoundStore rounds, int at) : IRoundStore
{
    private int calls;

    public Task<CheckpointId> OpenBaseAsync(RoundRun run, CancellationToken cancellationToken) =>
        DieAsync(() => rounds.OpenBaseAsync(run, cancellationToken));

    public Task<bool> StoreAsync(CheckpointId id, IReadOnlyList<Chunk> chunks, CancellationToken cancellationToken) =>
        DieAsync(() => rounds.StoreAsync(id, chunks, cancellationToken));

    public Task<bool> CloseAsync(RoundRun run, RoundResult result, CancellationToken cancellationToken) =>
        DieAsync(() => rounds.CloseAsync(run, result, cancellationToken));

    public Task<IReadOnlyList<JobId>> TickAsync(CancellationToken cancellationToken) =>
        DieAsync(() => rounds.TickAsync(cancellationToken));

    /// <summary>What it reserves is over at once, so that the next one need not wait.</summary>
    public Task<RoundRun?> ClaimAsync(JobId job, string closer, TimeSpan time, CancellationToken cancellationToken) =>
        DieAsync(() => rounds.ClaimAsync(job, closer, TimeSpan.Zero, cancellationToken));

    public Task<RoundOutcome> BeginAsync(
        RoundLease lease,
        RoundTerms terms,
        CheckpointId weights,
        Manifest manifest,
        CancellationToken cancellationToken
    ) => rounds.BeginAsync(lease, terms, weights, manifest, cancellationToken);

    public Task<RoundOutcome> JoinAsync(RoundLease lease, CancellationToken cancellationToken) =>
        rounds.JoinAsync(lease, cancellationToken);

    public Task<RoundOutcome> TakeAsync(RoundLease lease, int round, int total, CancellationToken cancellationToken) =>
        rounds.TakeAsync(lease, round, total, cancellationToken);

    public Task<RoundOutcome> ContributeAsync(RoundLease lease, RoundWork work, CancellationToken cancellationToken) =>
        rounds.ContributeAsync(lease, work, cancellationToken);

    public Task<RoundRun?> FindAsync(JobId job, CancellationToken cancellationToken) =>
        rounds.FindAsync(job, cancellationToken);

    public Task<IReadOnlyList<(int Round, int Microshard)>> AppliedAsync(
        JobId job,
        CancellationToken cancellationToken
    ) => rounds.AppliedAsync(job, cancellationToken);

    /// <summary>Even numbers die before the call, odd ones after it.</summary>
    private async Task<T> DieAsync<T>(Func<Task<T>> call)
    {
        var nth = calls++;
        if (2 * nth == at)
            throw new KilledException();
        var value = await call();
        return (2 * nth) + 1 == at ? throw new KilledException() : value;
    }
}

internal sealed class KilledException : Exception;

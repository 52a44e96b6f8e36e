using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Silo.Postgres.Checkpoints;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Training;

/// <summary>The rounds of data parallel runs on Postgres, beside the checkpoints that hold their tensors.</summary>
public sealed class PostgresRounds : IRoundStore, IAsyncDisposable
{
    private readonly CheckpointConnections connections;
    private readonly RoundEntries entries;
    private readonly RoundClosings closings;

    /// <param name="connectionString">A database migrated by <see cref="Migrator"/>.</param>
    /// <param name="time">For new ids only; deadlines are the database's.</param>
    public PostgresRounds(string connectionString, TimeProvider time, ILoggerFactory loggers)
    {
        connections = new CheckpointConnections(connectionString, loggers);
        entries = new RoundEntries(connections);
        closings = new RoundClosings(connections, time);
    }

    public Task<RoundOutcome> BeginAsync(
        RoundLease lease,
        RoundTerms terms,
        CheckpointId weights,
        Manifest manifest,
        CancellationToken cancellationToken
    ) => entries.BeginAsync(lease, terms, weights, manifest, cancellationToken);

    public Task<RoundOutcome> ContributeAsync(RoundLease lease, RoundWork work, CancellationToken cancellationToken) =>
        entries.ContributeAsync(lease, work, cancellationToken);

    public Task<RoundOutcome> JoinAsync(RoundLease lease, CancellationToken cancellationToken) =>
        entries.ActAsync(
            lease,
            run => RoundMachine.Join(run.State, lease.Shard.Number, lease.Epoch, run.Now),
            cancellationToken
        );

    public Task<RoundOutcome> TakeAsync(RoundLease lease, int round, int total, CancellationToken cancellationToken) =>
        entries.ActAsync(
            lease,
            run =>
            {
                var (state, reply, _) = RoundMachine.Take(
                    run.State,
                    lease.Shard.Number,
                    lease.Epoch,
                    round,
                    total,
                    run.Now
                );
                return (state, reply);
            },
            cancellationToken
        );

    public Task<RoundRun?> FindAsync(JobId job, CancellationToken cancellationToken) =>
        connections.UseAsync(
            (connection, token) =>
                RoundRows.ReadAsync(connection, RoundSql.Find, token, CheckpointRows.Value(job.Value)),
            cancellationToken
        );

    public Task<IReadOnlyList<JobId>> TickAsync(CancellationToken cancellationToken) =>
        closings.TickAsync(cancellationToken);

    public Task<RoundRun?> ClaimAsync(JobId job, string closer, TimeSpan time, CancellationToken cancellationToken) =>
        connections.UseAsync(
            (connection, token) =>
                RoundRows.ReadAsync(
                    connection,
                    RoundSql.Claim,
                    token,
                    CheckpointRows.Value(job.Value),
                    CheckpointRows.Value(closer),
                    CheckpointRows.Value(time)
                ),
            cancellationToken
        );

    public Task<CheckpointId> OpenBaseAsync(RoundRun run, CancellationToken cancellationToken) =>
        closings.OpenAsync(run, cancellationToken);

    public Task<bool> StoreAsync(CheckpointId id, IReadOnlyList<Chunk> chunks, CancellationToken cancellationToken) =>
        closings.StoreAsync(id, chunks, cancellationToken);

    public Task<bool> CloseAsync(RoundRun run, RoundResult result, CancellationToken cancellationToken) =>
        closings.CloseAsync(run, result, cancellationToken);

    public Task<IReadOnlyList<(int Round, int Microshard)>> AppliedAsync(
        JobId job,
        CancellationToken cancellationToken
    ) =>
        connections.UseAsync<IReadOnlyList<(int, int)>>(
            async (connection, token) =>
                await RoundRows.ListAsync(
                    connection,
                    RoundSql.Applied,
                    row => (row.GetInt32(0), row.GetInt32(1)),
                    token,
                    CheckpointRows.Value(job.Value)
                ),
            cancellationToken
        );

    public ValueTask DisposeAsync() => connections.DisposeAsync();
}

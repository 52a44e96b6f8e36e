namespace EgpuFleet.Silo.Postgres.Retention;

/// <summary>How long what is over is kept, by database time.</summary>
/// <param name="FinishedJobs">Then a finished job is archived: found and listed, without its items, results, events and shards.</param>
/// <param name="ArchivedJobs">Since it finished; then it is forgotten.</param>
/// <param name="IdempotencyKeys">Since the submit; then the key makes a new job.</param>
public sealed record RetentionRules(TimeSpan FinishedJobs, TimeSpan ArchivedJobs, TimeSpan IdempotencyKeys)
{
    /// <summary>A week to fetch results, a quarter to ask what became of a job, a day to try a submit again.</summary>
    public static readonly RetentionRules Default = new(
        TimeSpan.FromDays(7),
        TimeSpan.FromDays(90),
        TimeSpan.FromHours(24)
    );
}

/// <summary>What one pass did.</summary>
public sealed record RetentionPass(int ArchivedJobs, int ForgottenJobs, int ExpiredKeys);

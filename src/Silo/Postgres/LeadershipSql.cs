namespace EgpuFleet.Silo.Postgres;

/// <summary>The leader lease. All times are the database's.</summary>
internal static class LeadershipSql
{
    public const string AcquireLeadership = "select take_leadership($1, $2, $3), clock_timestamp()";

    public const string RenewLeadership = """
        update leader_lease
        set expires_at = clock_timestamp() + $4
        where pool = $1 and holder = $2 and epoch = $3
        returning clock_timestamp()
        """;

    /// <summary>No holder has an empty name, so the term is over at once and the next leader need not wait.</summary>
    public const string ReleaseLeadership = """
        update leader_lease
        set holder = '', expires_at = clock_timestamp()
        where pool = $1 and holder = $2 and epoch = $3
        """;
}

using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Npgsql;

namespace EgpuFleet.Silo.Tests.Postgres;

/// <summary>What Postgres says, and what it means to callers.</summary>
public sealed class LedgerFaultsTests
{
    [Theory]
    [InlineData("53100", "could not extend file", true, LedgerFault.DiskFull)]
    [InlineData("XX000", "could not write init file", true, LedgerFault.DiskFull)]
    [InlineData("57P01", "terminating connection due to administrator command", true, LedgerFault.NoAnswer)]
    [InlineData("53300", "too many clients already", true, LedgerFault.NoAnswer)]
    [InlineData("XX000", "cache lookup failed", false, LedgerFault.NoAnswer)]
    [InlineData("23505", "duplicate key", false, LedgerFault.NoAnswer)]
    public void A_full_disk_is_told_from_a_server_that_is_away_and_from_a_refusal(
        string state,
        string message,
        bool isUnavailable,
        LedgerFault fault
    )
    {
        var error = new PostgresException(message, "FATAL", "FATAL", state);

        Assert.Equal(isUnavailable, LedgerFaults.IsUnavailable(error));
        Assert.Equal(fault, LedgerFaults.Unavailable(error).Fault);
    }
}

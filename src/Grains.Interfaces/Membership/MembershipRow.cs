using System.Diagnostics.CodeAnalysis;
using Orleans.Runtime;

namespace EgpuFleet.Grains.Interfaces.Membership;

/// <summary>A vote that a silo is dead.</summary>
/// <param name="Silo">The voter, as <see cref="SiloAddress.ToParsableString"/> writes it.</param>
public sealed record MembershipSuspicion(string Silo, DateTime At);

/// <summary>One silo in the membership table, as it crosses HTTP.</summary>
/// <param name="Silo">Address, as <see cref="SiloAddress.ToParsableString"/> writes it.</param>
/// <param name="Name">Name of the silo; for an agent the node id.</param>
/// <param name="Status">Number of a <see cref="SiloStatus"/>.</param>
/// <param name="ProxyPort">Client gateway port; an agent has none (0).</param>
/// <param name="ETag">The store's own mark of the row; empty where it keeps none.</param>
public sealed record MembershipRow(
    string Silo,
    string Name,
    string HostName,
    int Status,
    int ProxyPort,
    DateTime StartTime,
    DateTime IAmAliveTime,
    IReadOnlyList<MembershipSuspicion> Suspicions,
    string ETag
)
{
    /// <summary>More votes than any cluster needs; a longer list is not one of ours.</summary>
    public const int MaxSuspicions = 64;

    private const int MaxTextLength = 255;

    /// <summary>The row of an entry as the table holds it.</summary>
    public static MembershipRow From(MembershipEntry entry, string? etag)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var suspicions = new List<MembershipSuspicion>();
        foreach (var (silo, at) in entry.SuspectTimes ?? [])
            suspicions.Add(new MembershipSuspicion(silo.ToParsableString(), Utc(at)));
        return new MembershipRow(
            entry.SiloAddress.ToParsableString(),
            entry.SiloName ?? string.Empty,
            entry.HostName ?? string.Empty,
            (int)entry.Status,
            entry.ProxyPort,
            Utc(entry.StartTime),
            Utc(entry.IAmAliveTime),
            suspicions,
            etag ?? string.Empty
        );
    }

    /// <summary>The entry of a row that came from outside; false when any part of it is malformed.</summary>
    public bool TryToEntry([NotNullWhen(true)] out MembershipEntry? entry)
    {
        entry = null;
        if (!TryParseSilo(Silo, out var silo) || !Enum.IsDefined((SiloStatus)Status))
            return false;
        if (ProxyPort is < 0 or > ushort.MaxValue || Name.Length is 0 or > MaxTextLength)
            return false;
        if (HostName.Length > MaxTextLength || ETag.Length > MaxTextLength || Suspicions.Count > MaxSuspicions)
            return false;
        var suspects = new List<Tuple<SiloAddress, DateTime>>();
        foreach (var suspicion in Suspicions)
        {
            if (!TryParseSilo(suspicion.Silo, out var voter))
                return false;
            suspects.Add(Tuple.Create(voter, Utc(suspicion.At)));
        }
        entry = new MembershipEntry
        {
            SiloAddress = silo,
            SiloName = Name,
            HostName = HostName,
            Status = (SiloStatus)Status,
            ProxyPort = ProxyPort,
            StartTime = Utc(StartTime),
            IAmAliveTime = Utc(IAmAliveTime),
            SuspectTimes = suspects,
        };
        return true;
    }

    /// <summary>Reads a silo address as written by <see cref="SiloAddress.ToParsableString"/>; false when it is not one.</summary>
    public static bool TryParseSilo(string? text, [NotNullWhen(true)] out SiloAddress? silo)
    {
        silo = null;
        if (text is null || text.Length is 0 or > MaxTextLength)
            return false;
        try
        {
            silo = SiloAddress.FromParsableString(text);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            return false;
        }
    }

    private static DateTime Utc(DateTime time) =>
        time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : DateTime.SpecifyKind(time, DateTimeKind.Utc);
}

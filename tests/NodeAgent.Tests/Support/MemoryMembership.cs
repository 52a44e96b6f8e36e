using System.Globalization;
using EgpuFleet.Grains.Interfaces.Membership;
using Orleans;
using Orleans.Runtime;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>A membership table in memory with the real one's rule: every write names the next version, or is refused.</summary>
internal sealed class MemoryMembership : IMembershipTable
{
    private readonly Lock gate = new();
    private readonly Dictionary<SiloAddress, MembershipEntry> rows = [];
    private int version;

    public Task InitializeMembershipTable(bool tryInitTableVersion) => Task.CompletedTask;

    public Task DeleteMembershipTableEntries(string clusterId) => Task.CompletedTask;

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => Task.CompletedTask;

    public Task<MembershipTableData> ReadRow(SiloAddress key) => ReadAll();

    public Task<MembershipTableData> ReadAll()
    {
        lock (gate)
        {
            var now = new TableVersion(version, version.ToString(CultureInfo.InvariantCulture));
            return Task.FromResult(
                new MembershipTableData([.. rows.Values.Select(row => Tuple.Create(Copy(row), string.Empty))], now)
            );
        }
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        Write(entry, tableVersion, isNew: true);

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        Write(entry, tableVersion, isNew: false);

    public Task UpdateIAmAlive(MembershipEntry entry)
    {
        lock (gate)
            rows[entry.SiloAddress].IAmAliveTime = entry.IAmAliveTime;
        return Task.CompletedTask;
    }

    private Task<bool> Write(MembershipEntry entry, TableVersion next, bool isNew)
    {
        lock (gate)
        {
            if (next.Version != version + 1 || rows.ContainsKey(entry.SiloAddress) == isNew)
                return Task.FromResult(false);
            version = next.Version;
            rows[entry.SiloAddress] = Copy(entry);
            return Task.FromResult(true);
        }
    }

    private static MembershipEntry Copy(MembershipEntry entry)
    {
        Assert.True(MembershipRow.From(entry, null).TryToEntry(out var copy));
        return copy;
    }
}

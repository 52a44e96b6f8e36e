using System.Net;
using System.Net.Http.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Membership;
using Orleans.Runtime;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>
/// The cluster's membership table through the gateway: agents have no route to the database. An agent writes its own row
/// only; what it suspects of others counts nothing and is not sent.
/// </summary>
public sealed class HttpMembershipTable(IHttpClientFactory clients, ILocalSiloDetails self) : IMembershipTable
{
    public Task InitializeMembershipTable(bool tryInitTableVersion) => Task.CompletedTask;

    public Task DeleteMembershipTableEntries(string clusterId) =>
        throw new NotSupportedException("An agent does not delete the membership table.");

    /// <summary>The control silos clean up.</summary>
    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => Task.CompletedTask;

    public Task<MembershipTableData> ReadAll() => Read(InternalRoutes.Membership);

    public Task<MembershipTableData> ReadRow(SiloAddress key) =>
        Read($"{InternalRoutes.Membership}/{Uri.EscapeDataString(key.ToParsableString())}");

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        Write("insert", MembershipRow.From(entry, null), tableVersion);

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion)
    {
        ArgumentNullException.ThrowIfNull(entry);
        // Also an older incarnation of this node is its own row: it has the same name.
        return entry.SiloName == self.Name
            ? Write("update", MembershipRow.From(entry, etag), tableVersion)
            : Task.FromResult(false);
    }

    public async Task UpdateIAmAlive(MembershipEntry entry)
    {
        // Orleans fills in the address and the time only; the gateway knows a row's owner by its name.
        var row = MembershipRow.From(entry, null) with
        {
            Name = self.Name,
        };
        await Post("alive", new MembershipWrite(row, 0, string.Empty));
    }

    private Task<bool> Write(string operation, MembershipRow row, TableVersion version) =>
        Post(operation, new MembershipWrite(row, version.Version, version.VersionEtag ?? string.Empty));

    private async Task<bool> Post(string operation, MembershipWrite write)
    {
        using var client = clients.CreateClient(GatewayHttp.Name);
        using var response = await client.PostAsJsonAsync(
            $"{InternalRoutes.Membership}/{operation}",
            write,
            MembershipJson.Options
        );
        await Require(response);
        return await response.Content.ReadFromJsonAsync<bool>(MembershipJson.Options);
    }

    private async Task<MembershipTableData> Read(string route)
    {
        using var client = clients.CreateClient(GatewayHttp.Name);
        using var response = await client.GetAsync(route);
        await Require(response);
        var table =
            await response.Content.ReadFromJsonAsync<MembershipTable>(MembershipJson.Options)
            ?? throw new MembershipProxyException("The gateway answered null instead of a membership table.");
        var rows = new List<Tuple<MembershipEntry, string>>();
        foreach (var row in table.Rows)
        {
            if (!row.TryToEntry(out var entry))
                throw new MembershipProxyException($"The gateway sent a malformed membership row for '{row.Silo}'.");
            rows.Add(Tuple.Create(entry, row.ETag));
        }
        return new MembershipTableData(rows, new TableVersion(table.Version, table.VersionTag));
    }

    private static async Task Require(HttpResponseMessage response)
    {
        if (response.IsSuccessStatusCode)
            return;
        var text = await response.Content.ReadAsStringAsync();
        var hint = response.StatusCode is HttpStatusCode.Unauthorized ? " The node is not enrolled (any more)." : "";
        throw new MembershipProxyException($"The gateway answered {(int)response.StatusCode}.{hint} {text}".TrimEnd());
    }
}

/// <summary>The gateway refused a membership call, or answered with something else.</summary>
public sealed class MembershipProxyException(string message) : Exception(message);

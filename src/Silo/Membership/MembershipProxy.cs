using System.Net;
using EgpuFleet.Grains.Interfaces.Membership;
using EgpuFleet.Silo.Gateway;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Membership;

/// <summary>
/// The membership table for agents, which have no route to the database. A node reads everything and writes only rows
/// that carry its own name, both in the request and in the table, never with a client gateway port; a row that is dead
/// stays dead. So no agent can declare another one dead, or speak for it.
/// </summary>
public sealed class MembershipProxy(IMembershipTable table, NodeAuthentication nodes)
{
    public async Task<IResult> ReadAllAsync(HttpRequest request)
    {
        await nodes.RequireAsync(request);
        return Answer(Show(await table.ReadAllAsync(request.HttpContext.RequestAborted)));
    }

    public async Task<IResult> ReadRowAsync(HttpRequest request, string silo)
    {
        await nodes.RequireAsync(request);
        if (!MembershipRow.TryParseSilo(silo, out var address))
            throw GatewayException.BadRequest("invalid_silo", "This is not the address of a silo.");
        return Answer(Show(await table.ReadRowAsync(address, request.HttpContext.RequestAborted)));
    }

    public async Task<IResult> InsertAsync(HttpRequest request)
    {
        var (write, entry) = await ReadOwnAsync(request);
        return Answer(
            await table.InsertRowAsync(
                entry,
                new TableVersion(write.Version, write.VersionTag),
                request.HttpContext.RequestAborted
            )
        );
    }

    public async Task<IResult> UpdateAsync(HttpRequest request)
    {
        var (write, entry) = await ReadOwnAsync(request);
        if (!await IsOwnInTableAsync(entry, request.HttpContext.RequestAborted))
            return Answer(false);
        var version = new TableVersion(write.Version, write.VersionTag);
        return Answer(await table.UpdateRowAsync(entry, write.Row.ETag, version, request.HttpContext.RequestAborted));
    }

    public async Task<IResult> AliveAsync(HttpRequest request)
    {
        var (_, entry) = await ReadOwnAsync(request);
        if (!await IsOwnInTableAsync(entry, request.HttpContext.RequestAborted))
            return Answer(false);
        await table.UpdateIAmAliveAsync(entry, request.HttpContext.RequestAborted);
        return Answer(true);
    }

    private async Task<(MembershipWrite Write, MembershipEntry Entry)> ReadOwnAsync(HttpRequest request)
    {
        var node = await nodes.RequireAsync(request);
        var write = await InternalJson.ReadAsync<MembershipWrite>(request);
        if (!write.Row.TryToEntry(out var entry))
            throw InternalJson.Malformed();
        if (entry.SiloName != node.Value)
            throw Forbidden($"{node} writes rows of its own name only.");
        if (entry.ProxyPort != 0)
            throw Forbidden("A node offers no client gateway.");
        return (write, entry);
    }

    /// <summary>False: no such row. A row of that address under another name, or a dead one, is refused.</summary>
    private async Task<bool> IsOwnInTableAsync(MembershipEntry entry, CancellationToken cancellationToken)
    {
        var stored = (await table.ReadRowAsync(entry.SiloAddress, cancellationToken)).TryGet(entry.SiloAddress)?.Item1;
        if (stored is null)
            return false;
        if (stored.SiloName != entry.SiloName)
            throw Forbidden("That address belongs to another silo.");
        return stored.Status != SiloStatus.Dead || entry.Status == SiloStatus.Dead
            ? true
            : throw Forbidden("A dead silo stays dead.");
    }

    private static MembershipTable Show(MembershipTableData data) =>
        new(
            data.Version.Version,
            data.Version.VersionEtag ?? string.Empty,
            [.. data.Members.Select(member => MembershipRow.From(member.Item1, member.Item2))]
        );

    private static IResult Answer<T>(T value) => Results.Json(value, MembershipJson.Options);

    private static GatewayException Forbidden(string detail) => new(HttpStatusCode.Forbidden, "forbidden", detail);
}

using System.Net;
using System.Net.Sockets;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Membership;
using EgpuFleet.Grains.Interfaces.Placement;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>A control silo of its own cluster: real Orleans, real HTTP, a table in memory, a pool that records.</summary>
internal sealed class TestControl : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly byte[] model;

    private TestControl(WebApplication app, byte[] model) => (this.app, this.model) = (app, model);

    public Uri Url => new(app.Urls.First());

    public PoolRecord Pool => app.Services.GetRequiredService<PoolRecord>();

    /// <summary>Credentials that are let in; null: all.</summary>
    public string? Credential { get; set; }

    /// <summary>Completes at the first request with a wrong credential.</summary>
    public TaskCompletionSource Refused { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IDeviceGrain Device(DeviceId device) =>
        app.Services.GetRequiredService<IGrainFactory>().GetGrain<IDeviceGrain>(device.ToString());

    public static async Task<TestControl> StartAsync(byte[] model)
    {
        var table = new MemoryMembership();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton<PoolRecord>();
        builder.UseOrleans(silo =>
        {
            silo.UseFleetClusterTuning("control-1", ClusterTuning.ProbedByControlSilo);
            silo.ConfigureEndpoints(IPAddress.Loopback, FreePort(), 0, listenOnAnyHostAddress: false);
            silo.Services.AddSingleton<IMembershipTable>(table);
        });
        var server = builder.Build();
        var control = new TestControl(server, model);
        var internals = server.MapGroup("").AddEndpointFilter(control.AuthoriseAsync);
        internals.MapGet(InternalRoutes.Membership, async () => Json(Table(await table.ReadAll())));
        internals.MapPost(
            InternalRoutes.Membership + "/{operation}",
            async (HttpRequest request, string operation) => Json(await WriteAsync(table, request, operation))
        );
        internals.MapGet(InternalRoutes.Models + "/{sha256}", () => Results.Bytes(control.model));
        await server.StartAsync(TestContext.Current.CancellationToken);
        return control;
    }

    /// <summary>The first heartbeat from now on that is as wanted.</summary>
    public async Task<NodeHeartbeat> HeartbeatAsync(Func<NodeHeartbeat, bool> wanted)
    {
        while (true)
        {
            var heartbeat = await Pool.Heartbeats.Reader.ReadAsync(TestContext.Current.CancellationToken);
            if (wanted(heartbeat))
                return heartbeat;
        }
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async ValueTask<object?> AuthoriseAsync(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        var offered = context.HttpContext.Request.Headers.Authorization.ToString();
        if (Credential is null || offered == $"Bearer {Credential}")
            return await next(context);
        Refused.TrySetResult();
        return Results.Unauthorized();
    }

    private static async Task<bool> WriteAsync(MemoryMembership table, HttpRequest request, string operation)
    {
        var write = (await request.ReadFromJsonAsync<MembershipWrite>(MembershipJson.Options))!;
        Assert.True(write.Row.TryToEntry(out var entry));
        Assert.Equal(Leases.Node.Value, write.Row.Name);
        var version = new TableVersion(write.Version, write.VersionTag);
        if (operation == "insert")
            return await table.InsertRow(entry, version);
        if (operation == "update")
            return await table.UpdateRow(entry, write.Row.ETag, version);
        await table.UpdateIAmAlive(entry);
        return true;
    }

    private static MembershipTable Table(MembershipTableData data) =>
        new(
            data.Version.Version,
            data.Version.VersionEtag,
            [.. data.Members.Select(member => MembershipRow.From(member.Item1, member.Item2))]
        );

    private static IResult Json<T>(T value) => Results.Json(value, MembershipJson.Options);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

using System.Net;
using EgpuFleet.TestKit.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Serialization.Configuration;
using Orleans.Storage;

namespace EgpuFleet.Silo.Tests.Postgres;

/// <summary>Orleans' own AdoNet providers on our schema: membership, grain state and reminders keep their contracts.</summary>
public sealed class OrleansSchemaTests(ScratchPostgres server)
{
    private const string Storage = "state";
    private static readonly DateTime Now = new(2026, 4, 1, 12, 0, 0, DateTimeKind.Utc);
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public sealed class Counter
    {
        public int Value { get; set; }
    }

    [Fact]
    public async Task A_silo_that_starts_again_finds_its_state_and_reminders()
    {
        var database = await server.CreateDatabaseAsync(cancellationToken: Token);
        var grain = GrainId.Create("counter", "mac-1/egpu");
        using (var first = await StartAsync(database))
        {
            var state = new GrainState<Counter>(new Counter { Value = 7 });
            await StorageOf(first).WriteStateAsync("counter", grain, state);
            await Reminders(first).UpsertRow(Reminder(grain), Token);
            await first.StopAsync(Token);
        }
        using var second = await StartAsync(database);
        var found = new GrainState<Counter>();
        await StorageOf(second).ReadStateAsync("counter", grain, found);
        Assert.Equal(((int?)7, true), (found.State?.Value, found.RecordExists));
        var reminder = await Reminders(second).ReadRow(grain, "wake", Token);
        Assert.Equal((Now, TimeSpan.FromMinutes(5)), (reminder!.StartAt, reminder.Period));
        var members = (await second.Services.GetRequiredService<IMembershipTable>().ReadAllAsync(Token)).Members;
        Assert.Single(members, member => member.Item1.Status == SiloStatus.Active);
        await second.StopAsync(Token);
    }

    [Fact]
    public async Task Of_two_writers_of_one_grain_the_late_one_is_refused()
    {
        var database = await server.CreateDatabaseAsync(cancellationToken: Token);
        using var host = await StartAsync(database);
        var storage = StorageOf(host);
        foreach (var grain in new[] { GrainId.Create("counter", "text key"), GrainId.Create("counter", "2a") })
        {
            var first = new GrainState<Counter>(new Counter { Value = 1 });
            var late = new GrainState<Counter>(new Counter { Value = 2 });
            await storage.WriteStateAsync("counter", grain, first);
            await Refused(() => storage.WriteStateAsync("counter", grain, late));
            await storage.ReadStateAsync("counter", grain, late);
            late.State!.Value = 3;
            await storage.WriteStateAsync("counter", grain, late);
            await Refused(() => storage.WriteStateAsync("counter", grain, first));
            await Refused(() => storage.ClearStateAsync("counter", grain, first));
            await storage.ClearStateAsync("counter", grain, late);
            Assert.False(late.RecordExists);
            late.State = new Counter { Value = 4 };
            await storage.WriteStateAsync("counter", grain, late);
            var read = new GrainState<Counter>();
            await storage.ReadStateAsync("counter", grain, read);
            Assert.Equal(4, read.State?.Value);
        }
        await host.StopAsync(Token);

        static Task Refused(Func<Task> write) => Assert.ThrowsAsync<InconsistentStateException>(write);
    }

    [Fact]
    public async Task Every_change_of_membership_needs_the_current_version()
    {
        var database = await server.CreateDatabaseAsync(cancellationToken: Token);
        using var host = await StartAsync(database);
        var table = host.Services.GetRequiredService<IMembershipTable>();
        var stale = (await table.ReadAllAsync(Token)).Version;
        var entry = Member(5001);
        Assert.True(await table.InsertRowAsync(entry, stale.Next(), Token));
        var read = await table.ReadAllAsync(Token);
        Assert.Equal(stale.Version + 1, read.Version.Version);
        Assert.False(await table.InsertRowAsync(Member(5002), stale.Next(), Token));
        Assert.False(await table.InsertRowAsync(entry, read.Version.Next(), Token));
        entry.Status = SiloStatus.Dead;
        Assert.False(await table.UpdateRowAsync(entry, stale.VersionEtag, stale.Next(), Token));
        Assert.True(await table.UpdateRowAsync(entry, read.Version.VersionEtag, read.Version.Next(), Token));
        var row = Assert.Single((await table.ReadRowAsync(entry.SiloAddress, Token)).Members).Item1;
        Assert.Equal((SiloStatus.Dead, "other"), (row.Status, row.SiloName));
        await table.CleanupDefunctSiloEntriesAsync(new DateTimeOffset(Now.AddHours(-1)), Token);
        Assert.Single((await table.ReadRowAsync(entry.SiloAddress, Token)).Members);
        await table.CleanupDefunctSiloEntriesAsync(new DateTimeOffset(Now.AddHours(1)), Token);
        Assert.Empty((await table.ReadRowAsync(entry.SiloAddress, Token)).Members);
        await host.StopAsync(Token);
    }

    [Fact]
    public async Task Reminders_are_found_by_range_and_removed_by_version()
    {
        var database = await server.CreateDatabaseAsync(cancellationToken: Token);
        using var host = await StartAsync(database);
        var table = Reminders(host);
        var grain = GrainId.Create("counter", "ring");
        var old = await table.UpsertRow(Reminder(grain), Token);
        var current = await table.UpsertRow(Reminder(grain), Token);
        Assert.NotEqual(old, current);
        var hash = grain.GetUniformHashCode();
        Assert.Single((await table.ReadRows(hash - 1, hash, Token)).Reminders);
        Assert.Empty((await table.ReadRows(hash, hash - 1, Token)).Reminders);
        Assert.Single((await table.ReadRows(grain, Token)).Reminders);
        Assert.False(await table.RemoveRow(grain, "wake", old!, Token));
        Assert.True(await table.RemoveRow(grain, "wake", current!, Token));
        Assert.Empty((await table.ReadRows(grain, Token)).Reminders);
        await host.StopAsync(Token);
    }

    private static async Task<IHost> StartAsync(string database)
    {
        const string invariant = "Npgsql";
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = ("test", "test"));
            silo.Services.Configure<TypeManifestOptions>(o => o.AddAllowedType(typeof(Counter)));
            // A running silo removes old dead members whenever it reads the table: here only the test does.
            silo.Configure<ClusterMembershipOptions>(o => o.DefunctSiloCleanupPeriod = null);
            silo.ConfigureEndpoints(IPAddress.Loopback, RunningPort(), gatewayPort: 0);
            silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (invariant, database));
            silo.AddAdoNetGrainStorage(Storage, o => (o.Invariant, o.ConnectionString) = (invariant, database));
            silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (invariant, database));
        });
        var host = builder.Build();
        await host.StartAsync(Token);
        return host;
    }

    private static int RunningPort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static IGrainStorage StorageOf(IHost host) => host.Services.GetRequiredKeyedService<IGrainStorage>(Storage);

    private static IReminderTable Reminders(IHost host) => host.Services.GetRequiredService<IReminderTable>();

    private static ReminderEntry Reminder(GrainId grain) =>
        new()
        {
            GrainId = grain,
            ReminderName = "wake",
            StartAt = Now,
            Period = TimeSpan.FromMinutes(5),
        };

    private static MembershipEntry Member(int port) =>
        new()
        {
            SiloAddress = SiloAddress.New(IPAddress.Loopback, port, 1),
            SiloName = "other",
            HostName = "localhost",
            Status = SiloStatus.Joining,
            ProxyPort = 0,
            StartTime = Now,
            IAmAliveTime = Now,
        };
}

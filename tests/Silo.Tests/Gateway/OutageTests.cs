using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Hosting;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>
/// A silo whose database goes away and comes back: every route that needs it says so with 503 and when to come back, within
/// a bounded time, the others go on, and what was accepted before is there afterwards.
/// </summary>
public sealed class OutageTests : IAsyncLifetime
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"egpufleet-outage-{Guid.NewGuid():N}");
    private readonly int port = RunningSilo.FreePort();
    private readonly HttpClient http;
    private EmbeddedPostgresOptions options;
    private EmbeddedPostgres? postgres;
    private ControlSilo? silo;

    public OutageTests()
    {
        options = new EmbeddedPostgresOptions { DataDirectory = Path.Combine(folder, "postgres", "data") };
        // The bound of every answer: the ledger's window for another try, and the time to notice.
        http = new HttpClient
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}"),
            Timeout = Limits.LedgerRetryWindow + Limits.SubmitWait + TimeSpan.FromSeconds(10),
        };
    }

    private FleetClient Client => new(http);

    public async ValueTask InitializeAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        postgres = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, cancellationToken);
        options = options with { Port = new NpgsqlConnectionStringBuilder(postgres.ConnectionString).Port };
        var settings = new SiloSettings(Path.Combine(folder, "silo"), port, [new NodeId(RunningSilo.ExpectedAgent)])
        {
            PostgresConnectionString = postgres.ConnectionString,
        };
        silo = await ControlSilo.StartAsync(settings, cancellationToken);
        await using var model = File.OpenRead(RunningSilo.SampleModelPath);
        await Client.AddModelAsync(RunningSilo.Model, model, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (silo is not null)
            await silo.DisposeAsync();
        if (postgres is not null)
            await postgres.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Without_its_database_the_gateway_says_so_and_afterwards_nothing_is_lost()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var before = await Client.SubmitAsync(new JobRequest("noop", Payload: "a"), null, cancellationToken);
        // What is answered 503 may have been done all the same, later even; so not to the job that must stay as it was.
        var steered = await Client.SubmitAsync(new JobRequest("noop", Payload: "b"), null, cancellationToken);

        await postgres!.DisposeAsync();

        var job = new JobRequest("noop", Payload: "c");
        HttpRequestMessage[] requests =
        [
            Submissions.Json(job),
            Submissions.Form("{\"prompt\":\"a\"}"),
            Bulk.Request(Bulk.Noops(3)),
            Get(Routes.Jobs),
            .. ((string[])["", "/events", "/results", "/why"]).Select(path => Get(Routes.Job(before.Id) + path)),
            .. ((string[])["hold", "release", "pause", "resume", "cancel"]).Select(verb =>
                Post(Routes.JobVerb(steered.Id, verb))
            ),
        ];
        await Task.WhenAll(requests.Select(UnavailableAsync));
        await Task.WhenAll(((string[])["", "/file-" + new string('0', 32)]).Select(NoFilesAsync));
        foreach (var path in (string[])[Routes.Live, Routes.Models, "/v1/models", "/metrics", "/openapi/v1.json"])
        {
            using var served = await http.GetAsync(path, cancellationToken);
            Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        }

        postgres = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, cancellationToken);

        var key = Guid.NewGuid().ToString();
        var after = await AgainAsync(() => Client.SubmitAsync(job, key, cancellationToken));
        var again = await AgainAsync(() => Client.SubmitAsync(job, key, cancellationToken));
        Assert.Equal(after.Id, again.Id);
        Assert.Equal("queued", (await AgainAsync(() => Client.GetJobAsync(before.Id, cancellationToken))).State);
        foreach (var id in (string[])[before.Id, steered.Id])
            Assert.Equal("cancelled", (await AgainAsync(() => Client.CancelJobAsync(id, cancellationToken))).State);
    }

    private static HttpRequestMessage Get(string path) => new(HttpMethod.Get, path);

    private static HttpRequestMessage Post(string path) => new(HttpMethod.Post, path);

    private async Task UnavailableAsync(HttpRequestMessage request)
    {
        using (request)
        using (var response = await http.SendAsync(request, TestContext.Current.CancellationToken))
        {
            await response.ProblemAsync(HttpStatusCode.ServiceUnavailable);
            Assert.NotNull(response.Headers.RetryAfter?.Delta);
        }
    }

    private async Task NoFilesAsync(string path)
    {
        using var answer = await http.GetAsync(Routes.Files + path, TestContext.Current.CancellationToken);
        await answer.EnvelopeAsync(HttpStatusCode.ServiceUnavailable);
        using var content = new MemoryStream([1]);
        var upload = await Assert.ThrowsAsync<FleetApiException>(() =>
            Client.UploadFileAsync(content, "a.jsonl", "batch", TestContext.Current.CancellationToken)
        );
        Assert.Equal(HttpStatusCode.ServiceUnavailable, upload.Status);
    }

    /// <summary>As a client does that was told when to come back.</summary>
    private static async Task<T> AgainAsync<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (FleetApiException e) when (e.Status == HttpStatusCode.ServiceUnavailable)
            {
                await Task.Delay(Limits.RetryAfter, TestContext.Current.CancellationToken);
            }
        }
    }
}

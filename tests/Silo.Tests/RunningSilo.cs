using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Membership;
using EgpuFleet.Silo.Hosting;
using EgpuFleet.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EgpuFleet.Silo.Tests;

/// <summary>
/// One whole control process for a test run: embedded Postgres, silo and gateway on free ports, in a temporary data
/// directory. No agent joins it, so a submitted job waits, and says why.
/// </summary>
public sealed class RunningSilo : IAsyncLifetime
{
    /// <summary>A registered model with a chat template.</summary>
    public const string Model = "tiny-fleet";

    /// <summary>A node that is expected and never comes.</summary>
    public const string ExpectedAgent = "local-1";

    private ControlSilo? silo;

    public static string SampleModelPath { get; } = RepositoryPaths.At("samples", "models", "tiny-fleet.gguf");

    public string DataDirectory { get; } = Path.Combine(Path.GetTempPath(), $"egpufleet-silo-{Guid.NewGuid():N}");

    public int Port { get; } = FreePort();

    public HttpClient Http { get; private set; } = new();

    public FleetClient Client => new(Http);

    public NpgsqlDataSource Database => silo!.Services.GetRequiredService<NpgsqlDataSource>();

    public string ModelsFolder => Path.Combine(DataDirectory, "silo", "models");

    public async ValueTask InitializeAsync()
    {
        var settings = new SiloSettings(DataDirectory, Port, [new NodeId(ExpectedAgent)])
        {
            // Tests start and throw away; nothing here survives a power cut.
            PostgresSettings = new Dictionary<string, string>(StringComparer.Ordinal) { ["fsync"] = "off" },
        };
        silo = await ControlSilo.StartAsync(settings, CancellationToken.None);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Port}") };
        await using var file = File.OpenRead(SampleModelPath);
        await Client.AddModelAsync(Model, file, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (silo is not null)
            await silo.DisposeAsync();
        Directory.Delete(DataDirectory, recursive: true);
    }

    /// <summary>Enrols a node; returns its credential.</summary>
    public async Task<string> JoinAsync(string node)
    {
        var token = TestContext.Current.CancellationToken;
        var secret = await File.ReadAllTextAsync(Path.Combine(DataDirectory, "silo", "enrolment.secret"), token);
        var credential = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(credential)));
        using var request = new HttpRequestMessage(HttpMethod.Post, InternalRoutes.Nodes)
        {
            Content = JsonContent.Create(new NodeEnrolment(node, hash), options: MembershipJson.Options),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret.Trim());
        using var response = await Http.SendAsync(request, token);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        return credential;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>Tests on the one running silo take turns: some of them count what is there.</summary>
[CollectionDefinition(Name)]
public sealed class OnRunningSilo : ICollectionFixture<RunningSilo>
{
    public const string Name = "running silo";
}

using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EgpuFleet.Benchmarks.Processes;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Gateway.Checkpoints;
using EgpuFleet.Silo.Membership;
using EgpuFleet.Silo.Postgres;
using EgpuFleet.Silo.Postgres.Checkpoints;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EgpuFleet.Benchmarks.Checkpoints;

/// <summary>
/// A silo's data path of checkpoints over HTTPS in a process of its own, with a certificate that is made on the spot: what
/// TLS will cost nodes that join over a network. A silo itself listens on loopback without.
/// </summary>
internal sealed class HttpsCheckpoints : IDisposable
{
    public const string Verb = "serve-checkpoints";

    private readonly Process _process;

    private HttpsCheckpoints(Process process, HttpClient client) => (_process, Client) = (process, client);

    /// <summary>Trusts this one certificate.</summary>
    public HttpClient Client { get; }

    public static async Task<HttpsCheckpoints> StartAsync(string database, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(ChildRun.Self, [Verb])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment[ChildRun.TaskVariable] = database;
        var process = Process.Start(start)!;
        var said = (await process.StandardOutput.ReadLineAsync(cancellationToken))?.Split(' ');
        if (said is not [var url, var thumbprint])
        {
            process.Kill();
            throw new FleetFailure("The server of checkpoints over HTTPS did not start.");
        }
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate?.GetCertHashString(HashAlgorithmName.SHA256) == thumbprint;
        return new HttpsCheckpoints(
            process,
            new HttpClient(handler) { BaseAddress = new Uri(url), Timeout = Timeout.InfiniteTimeSpan }
        );
    }

    /// <summary>Prints where it listens and its certificate's SHA-256; ends with its standard input.</summary>
    /// <param name="database">Connection string of a silo's database.</param>
    public static async Task ServeAsync(string database, CancellationToken cancellationToken)
    {
        using var certificate = Certificate();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                IPAddress.Loopback,
                0,
                listen =>
                {
                    listen.Protocols = HttpProtocols.Http1;
                    listen.UseHttps(certificate);
                }
            )
        );
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(NpgsqlDataSource.Create(database));
        builder.Services.AddSingleton<ControlTables>();
        builder.Services.AddSingleton<RememberedNodes>();
        builder.Services.AddSingleton<NodeAuthentication>();
        builder.Services.AddSingleton<ICheckpointStore>(services => new PostgresCheckpoints(
            database,
            TimeProvider.System,
            services.GetRequiredService<ILoggerFactory>()
        ));
        builder.Services.AddCheckpointPath();
        await using var server = builder.Build();
        server.UseMiddleware<ErrorBoundary>();
        server.MapCheckpointPath();
        await server.StartAsync(cancellationToken);
        Console.WriteLine($"{server.Urls.Single()} {certificate.GetCertHashString(HashAlgorithmName.SHA256)}");
        await Task.Run(Console.In.ReadToEnd, CancellationToken.None).WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        Client.Dispose();
        _process.Kill();
        _process.Dispose();
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
    }
}

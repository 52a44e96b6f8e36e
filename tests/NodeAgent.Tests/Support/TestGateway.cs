using System.Net;
using EgpuFleet.Grains.Interfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>A loopback server in the gateway's place; each test says how model requests are answered.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly WebApplication app;

    private TestGateway(WebApplication app) => this.app = app;

    public Uri Url => new(app.Urls.First());

    /// <summary>Requests for models so far, as <c>Range</c> headers ("" where there was none).</summary>
    public List<string> Ranges { get; } = [];

    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public static async Task<TestGateway> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = builder.Build();
        var gateway = new TestGateway(server);
        server.MapGet(InternalRoutes.Models + "/{sha256}", gateway.ServeAsync);
        await server.StartAsync(TestContext.Current.CancellationToken);
        return gateway;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        lock (Ranges)
            Ranges.Add(context.Request.Headers.Range.ToString());
        await Answer(context);
    }
}

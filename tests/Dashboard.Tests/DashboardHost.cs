using EgpuFleet.Dashboard.Tests.Stub;
using EgpuFleet.TestKit.Browser;

namespace EgpuFleet.Dashboard.Tests;

/// <summary>The real dashboard on a free loopback port, over a stub of the public API on the same port, as the silo serves both.</summary>
public sealed class DashboardHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private bool stopped;

    private DashboardHost(WebApplication app, StubFleet fleet)
    {
        this.app = app;
        Fleet = fleet;
        Address = new Uri(app.Urls.First());
    }

    public StubFleet Fleet { get; }

    public Uri Address { get; }

    public static async Task<DashboardHost> StartAsync(StubFleet fleet, int port = 0)
    {
        // Production, as the fleet runs: nothing may depend on a developer's settings.
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions
            {
                EnvironmentName = "Production",
                ApplicationName = typeof(DashboardHost).Assembly.GetName().Name,
                ContentRootPath = AppContext.BaseDirectory,
            }
        );
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddFleetDashboard();
        var built = builder.Build();
        built.MapStubApi(fleet);
        built.MapFleetDashboard();
        await built.StartAsync(TestContext.Current.CancellationToken);
        return new DashboardHost(built, fleet);
    }

    public async ValueTask DisposeAsync()
    {
        if (stopped)
            return;
        stopped = true;
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
    }
}

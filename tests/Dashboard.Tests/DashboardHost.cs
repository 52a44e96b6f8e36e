using EgpuFleet.Dashboard.Tests.Stub;
using EgpuFleet.TestKit.Browser;

namespace EgpuFleet.Dashboard.Tests;

/// <summary>The real dashboard on a free loopback port, over a stub of the public API on the same port, as the silo serves both.</summary>
public sealed class DashboardHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private DashboardHost(WebApplication app, StubFleet fleet)
    {
        this.app = app;
        Fleet = fleet;
    }

    public StubFleet Fleet { get; }

    public Uri Address => new(app.Urls.First());

    public static async Task<DashboardHost> StartAsync(StubFleet fleet)
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
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddFleetDashboard();
        var built = builder.Build();
        built.MapStubApi(fleet);
        built.MapFleetDashboard();
        await built.StartAsync(TestContext.Current.CancellationToken);
        return new DashboardHost(built, fleet);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}

using EgpuFleet.Dashboard.Components;
using EgpuFleet.Dashboard.Gateway;
using EgpuFleet.Dashboard.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting.StaticWebAssets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MudBlazor.Services;

namespace EgpuFleet.Dashboard;

/// <summary>How a host serves the dashboard: <c>services.AddFleetDashboard()</c>, then <c>app.MapFleetDashboard()</c>.</summary>
public static class FleetDashboard
{
    /// <summary>Adds what the dashboard needs.</summary>
    /// <param name="gateway">
    /// The base address of the public API, asked for at every call; left out, the host's own first HTTP address on loopback.
    /// </param>
    public static IServiceCollection AddFleetDashboard(
        this IServiceCollection services,
        Func<IServiceProvider, Uri>? gateway = null
    )
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddFleetGateway(gateway ?? OwnAddress.Of);
        services.AddSingleton<FleetMonitor>();
        services.AddSingleton<JobListMonitor>();
        // Pages hold nothing worth decrypting after a restart, so no key is written outside the data directory.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddMudServices();
        services
            .AddRazorComponents()
            .AddInteractiveServerComponents(options =>
            {
                options.DisconnectedCircuitMaxRetained = Limits.DisconnectedCircuits;
                options.DisconnectedCircuitRetentionPeriod = Limits.DisconnectedCircuit;
            });
        return services;
    }

    /// <summary>Serves the pages (<c>/</c>, <c>/jobs</c>, <c>/jobs/{id}</c>, <c>/fine-tuning/{id}</c>) and their files, all from this machine.</summary>
    public static WebApplication MapFleetDashboard(this WebApplication app)
    {
        // Outside Development the host would look for published files only, and the fleet also runs from its build output.
        StaticWebAssetsLoader.UseStaticWebAssets(app.Environment, app.Configuration);
        app.MapStaticAssets();
        app.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode()
            // There is no form on any page; what a page does, it does through the API.
            .DisableAntiforgery();
        return app;
    }
}

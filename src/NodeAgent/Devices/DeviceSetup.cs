using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Tuning;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Devices, and what runs on them.</summary>
internal static class DeviceSetup
{
    public static IServiceCollection AddDevices(this IServiceCollection services, AgentOptions options, DataFolder data)
    {
        services.AddSingleton(provider => new ModelShelf(
            data.Models,
            options.ModelCacheBytes,
            provider.GetRequiredService<TimeProvider>()
        ));
        return services
            .AddSingleton<ChangeSignal>()
            .AddSingleton<GatewayDownloads>()
            .AddSingleton<ModelCache>()
            .AddSingleton<ILeaseClock, BootClock>()
            .AddSingleton<IShardReports, PoolReports>()
            .AddSingleton<SleepWatch>()
            .AddSingleton<ReportQueue>()
            .AddSingleton<IDeviceDriver, CpuDriver>()
            .AddSingleton<IDeviceDriver, AppleGpuDriver>()
            .AddSingleton<IDeviceDriver, TinyGpuDriver>()
            .AddSingleton<IDeviceDriver, LinuxGpuDriver>()
            .AddSingleton<FleetTunings>()
            .AddSingleton<LocalDeviceFactory>()
            .AddSingleton(new OwnerWishes(data.EjectedFile))
            .AddSingleton(provider => new CrashGuard(
                data.CrashFile,
                HostBoot.Id(),
                provider.GetRequiredService<ILogger<CrashGuard>>()
            ))
            .AddSingleton(provider => new NodeHealth(
                token =>
                    LocalDoctor.ExamineAsync(
                        null,
                        new TinygradHome(options.EngineData),
                        options.CpuEngine == TinygradSettings.Engine,
                        provider.GetRequiredService<TimeProvider>(),
                        token
                    ),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ChangeSignal>(),
                provider.GetRequiredService<ILogger<NodeHealth>>()
            ))
            .AddSingleton<DeviceRegistry>()
            .AddSingleton<DeviceOrders>()
            .AddHostedService<DeviceStart>();
    }
}

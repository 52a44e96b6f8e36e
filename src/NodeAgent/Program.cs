using EgpuFleet.NodeAgent;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;

try
{
    var options = AgentConfiguration.Read(args);
    using var data = DataFolder.Open(options.Data);
    var credential = NodeCredential.ReadOrCreate(data.CredentialFile);
    var ports = AgentPorts.ReadOrChoose(data.PortsFile);

    var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
    // The OTLP exporter reads its standard OTEL_* settings from here.
    builder.Configuration.AddEnvironmentVariables();
    builder.AddAgentLogging();
    builder.Services.AddSingleton(options).AddSingleton(data).AddSingleton(credential);
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddAgentTelemetry(options);
    builder.Services.AddEnding(options);
    builder.Services.AddGatewayHttp(options.Gateways, credential);
    builder.Services.AddDevices(options, data);
    builder.Services.AddHostedService<GatewayWait>();
    builder.UseOrleans(silo => silo.UseAgentSilo(options, ports));
    builder.Services.AddHostedService<Presence>();

    await builder.Build().RunAsync();
    return ExitCodes.Ok;
}
catch (OperationCanceledException)
{
    // Told to end while it still waited to join.
    return ExitCodes.Ok;
}
catch (AgentStartException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return e.ExitCode;
}

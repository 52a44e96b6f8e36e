using EgpuFleet.Silo.Hosting;

try
{
    using var signals = new StopSignals();
    var command = SiloCommand.Parse(args);
    var settings = SiloSettings.Load(command);
    if (command.Verb == SiloVerb.StopPostgres)
        return await LeftoverPostgres.StopAsync(settings, signals.Token);
    await using var silo = await ControlSilo.StartAsync(settings, signals.Token);
    signals.Release();
    return await silo.WaitForShutdownAsync();
}
catch (Exception e) when (StartupFailure.Describe(e) is { } failure)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return failure.ExitCode;
}

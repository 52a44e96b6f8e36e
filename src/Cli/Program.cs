using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;

return args is [SessionExec.Verb, .. var rest]
    ? SessionExec.Run(rest)
    : await FleetCommandLine.RunAsync(args, CancellationToken.None);

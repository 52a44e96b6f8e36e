using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Cli.Verbs;

/// <summary>The options that say which fleet is started; those of <c>up</c> and <c>demo</c>.</summary>
internal static class UpSettings
{
    public static Option<int> Agents { get; } =
        new Option<int>("--agents")
        {
            Description = "Local agents, each with the CPU as a device; the first also has the GPUs",
            DefaultValueFactory = _ => 2,
            HelpName = "N",
        }.Within(0, Limits.AgentsMax);

    public static Option<int> Port { get; } =
        new Option<int>("--port")
        {
            Description = "Gateway port on 127.0.0.1",
            DefaultValueFactory = _ => Target.DefaultPort,
            HelpName = "PORT",
        }.Within(1, ushort.MaxValue);

    public static UpOptions Read(ParseResult parsed, string data) =>
        new(data, parsed.GetValue(Agents), parsed.GetValue(Port));
}

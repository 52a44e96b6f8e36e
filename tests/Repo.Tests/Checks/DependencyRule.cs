namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>What one project may reference.</summary>
/// <param name="Projects">Names of our projects it may reference directly.</param>
/// <param name="PackagePrefixes">A direct package must start with one of these.</param>
/// <param name="AspNet">Whether it may be a web project or use the ASP.NET Core framework.</param>
public sealed record DependencyRule(string[] Projects, string[] PackagePrefixes, bool AspNet = false)
{
    /// <summary>The table of docs/architecture, by project path; a project without a row is a finding.</summary>
    public static IReadOnlyDictionary<string, DependencyRule> All { get; } =
        new Dictionary<string, DependencyRule>
        {
            ["src/Api/Api.csproj"] = new([], []),
            ["src/Cli/Cli.csproj"] = new(
                ["Api", "Kernels"],
                ["System.CommandLine", "Spectre.Console", "Microsoft.Extensions.Http"]
            ),
            ["src/Dashboard/Dashboard.csproj"] = new(
                ["Api"],
                ["MudBlazor", "Microsoft.Extensions.Http.Resilience"],
                AspNet: true
            ),
            ["src/Grains.Interfaces/Grains.Interfaces.csproj"] = new(
                [],
                ["Microsoft.Orleans.Sdk", "Microsoft.Orleans.Runtime"]
            ),
            ["src/Grains/Grains.csproj"] = new(
                ["Grains.Interfaces"],
                ["Microsoft.Orleans.Server", "Microsoft.Orleans.Sdk", "Microsoft.Orleans.Reminders", "Polly.Core"]
            ),
            ["src/Kernels/Kernels.csproj"] = new(["Formats"], ["OpenTelemetry"]),
            ["src/Kernels/Formats/Formats.csproj"] = new([], ["Jint"]),
            ["src/Kernels/LlamaCpp/LlamaCpp.csproj"] = new(
                ["Kernels", "Formats"],
                ["OpenTelemetry", "Microsoft.Extensions."]
            ),
            ["src/Kernels/Tinygrad/Tinygrad.csproj"] = new(["Kernels", "Formats"], ["Microsoft.Extensions."]),
            ["src/Kernels/Torch/Torch.csproj"] = new(
                ["Kernels", "Formats"],
                ["TorchSharp", "libtorch-", "Microsoft.Extensions."]
            ),
            ["src/NodeAgent/NodeAgent.csproj"] = new(
                ["Grains.Interfaces", "Kernels", "Formats"],
                ["Microsoft.Orleans.Server", "Microsoft.Extensions.", "OpenTelemetry", "Polly"]
            ),
            ["src/Silo/Silo.csproj"] = new(
                ["Api", "Dashboard", "Grains", "Grains.Interfaces", "Formats"],
                ["Microsoft.", "Npgsql", "dbup-postgresql", "OpenTelemetry", "Polly"],
                AspNet: true
            ),
        };
}

using System.Diagnostics;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>A real agent process of one test.</summary>
internal sealed class AgentProcess : IDisposable
{
    private readonly Process process;

    private AgentProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public static AgentProcess Start(string data, Uri gateway)
    {
        var start = new ProcessStartInfo(Engines.Agent) { RedirectStandardInput = true, UseShellExecute = false };
        string[] arguments =
        [
            "--data",
            data,
            "--gateway",
            gateway.ToString(),
            "--node",
            Leases.Node.Value,
            "--threads",
            "1",
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["EGPUFLEET_SUPERVISED"] = "1";
        start.Environment["EGPUFLEET_MEASURE"] = "off";
        return new AgentProcess(Process.Start(start)!);
    }

    /// <summary>The parent's end of standard input closes, as when the parent dies.</summary>
    public void Orphan() => process.StandardInput.Close();

    public void Kill() => process.Kill();

    public async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }
}

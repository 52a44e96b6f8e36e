using System.Diagnostics;
using EgpuFleet.Kernels.Tinygrad.Child;
using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>The Python package's own tests, one row per module; what a failing one prints is the failure.</summary>
public sealed class PythonTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private static string Folder => RepositoryPaths.At("src", "Kernels", "Tinygrad", "worker");

    public static TheoryData<string> Modules =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Folder, "tests"), "test_*.py")
                .Select(file => Path.GetFileNameWithoutExtension(file))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Modules))]
    public async Task A_module_passes(string module)
    {
        TinygradWorker.Require();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var launch = ChildLaunch.FromEnvironment();
        var start = new ProcessStartInfo(await ChildLaunch.FindPythonAsync(limit.Token))
        {
            ArgumentList = { "-m", "unittest", $"tests.{module}" },
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        ChildLaunch.Isolate(start);
        start.Environment[ChildLaunch.TinygradVariable] = launch.Tinygrad;
        start.Environment["DEV"] = "CPU";
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        using var python = Process.Start(start)!;
        try
        {
            var printed = await Task.WhenAll(
                python.StandardOutput.ReadToEndAsync(limit.Token),
                python.StandardError.ReadToEndAsync(limit.Token)
            );
            await python.WaitForExitAsync(limit.Token);
            Assert.True(python.ExitCode == 0, string.Concat(printed));
            Assert.DoesNotContain("skipped", printed[1], StringComparison.Ordinal);
        }
        finally
        {
            if (!python.HasExited)
                python.Kill(entireProcessTree: true);
        }
    }
}

using System.Diagnostics;
using System.Text.Json;

namespace EgpuFleet.TestKit.Schemas;

/// <summary>Ajv, the validator that most tools of JavaScript use, as the judge of what a grammar makes. It runs under node.</summary>
public static class Ajv
{
    /// <summary>A schema and texts that should satisfy it.</summary>
    public sealed record Case(string Schema, IReadOnlyList<string> Texts);

    /// <returns>For each text, in order, what is wrong with it; empty: nothing.</returns>
    public static async Task<IReadOnlyList<string>> JudgeAsync(IEnumerable<Case> cases, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("egpufleet-ajv-");
        try
        {
            var file = Path.Combine(folder.FullName, "cases.jsonl");
            await File.WriteAllLinesAsync(
                file,
                cases.Select(one => JsonSerializer.Serialize(one, JsonSerializerOptions.Web)),
                cancel
            );
            var beside = AppContext.BaseDirectory;
            var start = new ProcessStartInfo("node")
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (
                var argument in new[] { Path.Combine(beside, "ajv.cjs"), Path.Combine(beside, "ajv2020.min.js"), file }
            )
                start.ArgumentList.Add(argument);
            using var node = Process.Start(start)!;
            var errors = node.StandardError.ReadToEndAsync(cancel);
            var answers = await node.StandardOutput.ReadToEndAsync(cancel);
            await node.WaitForExitAsync(cancel);
            if (node.ExitCode != 0)
                throw new InvalidOperationException(await errors);
            return answers.Split('\n')[..^1];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace EgpuFleet.Cli.CommandLine;

/// <summary>The usual help, followed by examples of the verb.</summary>
internal sealed class ExamplesHelp(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var result = usual.Invoke(parseResult);
        var examples = Examples.Of(parseResult.CommandResult.Command);
        if (examples.Count > 0)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var example in examples)
                output.WriteLine("  " + example);
            output.WriteLine();
        }
        return result;
    }
}

/// <summary>Examples that belong to a command.</summary>
internal static class Examples
{
    private static readonly ConditionalWeakTable<Command, IReadOnlyList<string>> All = [];

    public static T WithExamples<T>(this T command, params string[] examples)
        where T : Command
    {
        All.Add(command, examples);
        return command;
    }

    public static IReadOnlyList<string> Of(Command command) => All.TryGetValue(command, out var found) ? found : [];
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>Files and methods short enough to hold in the head.</summary>
public static class Lengths
{
    public const int FileLines = 300;
    public const int MethodLines = 60;

    private static readonly string[] CodeExtensions = [".cs", ".razor", ".css", ".js", ".mjs", ".py", ".sh", ".sql"];

    public static IEnumerable<Finding> Check(SourceTree tree, IReadOnlyDictionary<string, string> exceptions)
    {
        var needed = new HashSet<string>();
        foreach (var (key, path, line, message) in Measure(tree))
        {
            if (exceptions.ContainsKey(key))
                needed.Add(key);
            else
                yield return new Finding(path, line, message);
        }
        foreach (var (key, reason) in exceptions)
        {
            if (!needed.Contains(key))
                yield return new Finding(key, 0, "is an exception to the length limit that nothing needs: remove it");
            if (reason.Length < 20)
                yield return new Finding(key, 0, "is an exception to the length limit without a reason");
        }
    }

    private static IEnumerable<(string Key, string Path, int Line, string Message)> Measure(SourceTree tree)
    {
        foreach (var file in tree.Files.Where(IsCode))
        {
            var lines = file.Text.TrimEnd('\n').Split('\n').Length;
            if (lines > FileLines)
                yield return (file.Path, file.Path, 0, $"has {lines} lines, at most {FileLines}: split it by concept");
            if (!file.HasExtension(".cs"))
                continue;
            foreach (var (name, line, length) in Methods(CSharpSyntaxTree.ParseText(file.Text).GetRoot()))
            {
                if (length > MethodLines)
                    yield return (
                        $"{file.Path}#{name}",
                        file.Path,
                        line,
                        $"{name} has {length} lines, at most {MethodLines}"
                    );
            }
        }
    }

    private static IEnumerable<(string Name, int Line, int Length)> Methods(SyntaxNode root)
    {
        foreach (var node in root.DescendantNodes())
        {
            var name = node switch
            {
                MethodDeclarationSyntax method => method.Identifier.Text,
                ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
                LocalFunctionStatementSyntax function => function.Identifier.Text,
                AccessorDeclarationSyntax { Body: not null } accessor => accessor.Keyword.Text,
                OperatorDeclarationSyntax @operator => @operator.OperatorToken.Text,
                _ => null,
            };
            if (name is null)
                continue;
            var span = node.GetLocation().GetLineSpan();
            yield return (
                name,
                span.StartLinePosition.Line + 1,
                span.EndLinePosition.Line - span.StartLinePosition.Line + 1
            );
        }
        var statements = root.ChildNodes().OfType<GlobalStatementSyntax>().ToList();
        if (statements.Count > 0)
        {
            var start = statements[0].GetLocation().GetLineSpan().StartLinePosition.Line;
            yield return (
                "Main",
                start + 1,
                statements[^1].GetLocation().GetLineSpan().EndLinePosition.Line - start + 1
            );
        }
    }

    private static bool IsCode(SourceFile file) =>
        file.HasExtension(CodeExtensions)
        || (file.Path == "fleet" && file.Text.StartsWith("#!", StringComparison.Ordinal));
}

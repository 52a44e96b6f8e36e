using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>
/// Policy reads its arguments and nothing else: no I/O, clock, logger, thread, task, unseeded randomness or mutable static.
/// Names are resolved by the compiler against the framework, so an alias or an implicit using hides nothing.
/// </summary>
public static class PolicyPurity
{
    private static readonly string[] ImpureNamespaces =
    [
        "System.IO",
        "System.Net",
        "System.Threading",
        "System.Timers",
        "System.Security.Cryptography",
        "Microsoft.Extensions",
        "Microsoft.AspNetCore",
        "Npgsql",
        "Orleans.Runtime",
    ];

    private static readonly HashSet<string> ImpureTypes =
    [
        "System.Console",
        "System.Environment",
        "System.AppContext",
        "System.TimeProvider",
        "System.GC",
        "System.Diagnostics.Stopwatch",
        "System.Diagnostics.Process",
        "System.Diagnostics.Activity",
        "System.Diagnostics.ActivitySource",
    ];

    private static readonly HashSet<string> ImpureMembers =
    [
        "System.DateTime.Now",
        "System.DateTime.UtcNow",
        "System.DateTime.Today",
        "System.DateTimeOffset.Now",
        "System.DateTimeOffset.UtcNow",
        "System.Guid.NewGuid()",
        "System.Guid.CreateVersion7()",
        "System.Random.Random()",
        "System.Random.Shared",
    ];

    // What ImplicitUsings gives every file of a plain SDK project.
    private const string ImplicitUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;
        """;

    public static IReadOnlyList<Finding> Check(SourceTree tree)
    {
        var product = tree
            .Files.Where(file => file.HasExtension(".cs"))
            .Where(file =>
                file.Path.StartsWith("src/Grains", StringComparison.Ordinal) || PolicyFiles.Contains(file.Path)
            )
            .ToDictionary(file => CSharpSyntaxTree.ParseText(file.Text, path: file.Path));
        var compilation = CSharpCompilation.Create(
            "policy",
            [.. product.Keys, CSharpSyntaxTree.ParseText(ImplicitUsings)],
            Framework(),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)
        );
        return
        [
            .. product
                .Where(file => PolicyFiles.Contains(file.Value.Path))
                .SelectMany(file => CheckFile(compilation.GetSemanticModel(file.Key), file.Key.GetRoot())),
        ];
    }

    private static IEnumerable<Finding> CheckFile(SemanticModel model, SyntaxNode root)
    {
        foreach (var node in root.DescendantNodes())
        {
            var message = node switch
            {
                UsingDirectiveSyntax { Name: { } name } when ImpureNamespace(name.ToString()) =>
                    $"policy must not use the namespace {name}",
                AwaitExpressionSyntax => "policy must not await",
                BaseFieldDeclarationSyntax field when IsMutableStatic(field.Modifiers) =>
                    "policy must not hold mutable static state",
                SimpleNameSyntax or BaseObjectCreationExpressionSyntax => Judge(model.GetSymbolInfo(node).Symbol),
                _ => null,
            };
            if (message is not null)
                yield return new Finding(root.SyntaxTree.FilePath, LineOf(node), message);
        }
        foreach (var token in root.DescendantTokens().Where(token => token.IsKind(SyntaxKind.AsyncKeyword)))
            yield return new Finding(root.SyntaxTree.FilePath, LineOf(token.Parent!), "policy must not be async");
    }

    private static string? Judge(ISymbol? symbol)
    {
        if (symbol is null or INamespaceSymbol)
            return null;
        var member = symbol.ToDisplayString();
        if (ImpureMembers.Contains(member))
            return $"policy must not use {member}";
        var type = symbol as INamedTypeSymbol ?? symbol.ContainingType;
        if (type is null || !type.Locations.Any(location => location.IsInMetadata))
            return null;
        var name = type.OriginalDefinition.ToDisplayString();
        return ImpureTypes.Contains(name) || ImpureNamespace(type.ContainingNamespace.ToDisplayString())
            ? $"policy must not use {name}"
            : null;
    }

    private static bool ImpureNamespace(string name) =>
        ImpureNamespaces.Any(impure => name == impure || name.StartsWith(impure + ".", StringComparison.Ordinal));

    private static bool IsMutableStatic(SyntaxTokenList modifiers) =>
        modifiers.Any(SyntaxKind.StaticKeyword) && !modifiers.Any(SyntaxKind.ReadOnlyKeyword);

    private static int LineOf(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    private static IEnumerable<MetadataReference> Framework()
    {
        var folder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        return Directory
            .EnumerateFiles(folder, "System*.dll")
            .Append(Path.Combine(folder, "netstandard.dll"))
            .Where(IsManaged)
            .Select(path => MetadataReference.CreateFromFile(path));
    }

    private static bool IsManaged(string path)
    {
        using var stream = File.OpenRead(path);
        using var image = new System.Reflection.PortableExecutable.PEReader(stream);
        return image.HasMetadata;
    }
}

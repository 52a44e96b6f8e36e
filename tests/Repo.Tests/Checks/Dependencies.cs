using System.Xml.Linq;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>Which project may reference which project and package, read from the project files.</summary>
public static class Dependencies
{
    public static IEnumerable<Finding> Check(SourceTree tree, IReadOnlyDictionary<string, DependencyRule> rules)
    {
        foreach (var file in tree.Files.Where(file => file.HasExtension(".csproj")))
        {
            var project = XDocument.Parse(file.Text).Root!;
            var findings = file.Path.StartsWith("src/", StringComparison.Ordinal)
                ? CheckProduct(project, rules.GetValueOrDefault(file.Path))
                : [];
            foreach (var message in findings.Concat(CheckVersions(project)))
                yield return new Finding(file.Path, 0, message);
        }
        foreach (var path in rules.Keys.Where(path => !tree.Exists(path)))
            yield return new Finding(path, 0, "has a dependency rule but no project: remove the rule");
    }

    private static IEnumerable<string> CheckProduct(XElement project, DependencyRule? rule)
    {
        if (rule is null)
        {
            yield return "has no dependency rule: say in DependencyRule.cs what it may reference";
            yield break;
        }
        foreach (var reference in LinkedProjects(project))
        {
            var name = Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'));
            if (!rule.Projects.Contains(name))
                yield return $"must not reference the project {name}";
        }
        foreach (var package in Includes(project, "PackageReference"))
        {
            if (!rule.PackagePrefixes.Any(prefix => package.StartsWith(prefix, StringComparison.Ordinal)))
                yield return $"must not reference the package {package}";
        }
        var web =
            project.Attribute("Sdk")?.Value.EndsWith(".Web", StringComparison.Ordinal) == true
            || Includes(project, "FrameworkReference")
                .Any(name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));
        if (web && !rule.AspNet)
            yield return "must not depend on ASP.NET Core";
    }

    private static IEnumerable<string> CheckVersions(XElement project) =>
        project
            .Descendants("PackageReference")
            .Where(reference =>
                reference.Attribute("Version") is not null || reference.Attribute("VersionOverride") is not null
            )
            .Select(reference =>
                $"gives {reference.Attribute("Include")?.Value} a version: it belongs in Directory.Packages.props"
            );

    /// <summary>A reference without its assembly only orders the build: nothing of the other project can be used.</summary>
    private static IEnumerable<string> LinkedProjects(XElement project) =>
        project
            .Descendants("ProjectReference")
            .Where(element => element.Attribute("ReferenceOutputAssembly")?.Value != "false")
            .Select(element => element.Attribute("Include")?.Value)
            .OfType<string>();

    private static IEnumerable<string> Includes(XElement project, string item) =>
        project.Descendants(item).Select(element => element.Attribute("Include")?.Value).OfType<string>();
}

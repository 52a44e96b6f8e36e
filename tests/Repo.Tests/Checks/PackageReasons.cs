using System.Xml;
using System.Xml.Linq;

namespace EgpuFleet.Repo.Tests.Checks;

/// <summary>Every package says why it is there: a comment on it or on its group in Directory.Packages.props.</summary>
public static class PackageReasons
{
    public const string File = "Directory.Packages.props";

    public static IEnumerable<Finding> Check(SourceTree tree)
    {
        foreach (var file in tree.Files.Where(file => file.Path == File))
        {
            var document = XDocument.Parse(file.Text, LoadOptions.SetLineInfo);
            foreach (var package in document.Descendants("PackageVersion"))
            {
                if (!HasReason(package) && !HasReason(package.Parent!))
                {
                    var name = package.Attribute("Include")?.Value;
                    yield return new Finding(
                        File,
                        ((IXmlLineInfo)package).LineNumber,
                        $"{name} has no comment that says why"
                    );
                }
            }
        }
    }

    private static bool HasReason(XElement element) => element.PreviousNode is XComment { Value.Length: > 15 };
}

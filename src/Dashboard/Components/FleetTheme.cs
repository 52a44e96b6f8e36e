using MudBlazor;

namespace EgpuFleet.Dashboard.Components;

/// <summary>The component library's colours and type in the words of base.css; light for the root, dark where it is chosen.</summary>
public static class FleetTheme
{
    private static readonly string[] Fonts =
    [
        "Inter",
        "system-ui",
        "-apple-system",
        "Segoe UI",
        "Helvetica Neue",
        "Arial",
        "sans-serif",
    ];

    public static MudTheme Light { get; } =
        Make(
            ":root",
            new PaletteLight
            {
                Primary = "#4f46e5",
                Background = "#f5f6fa",
                Surface = "#ffffff",
                TextPrimary = "#171c2b",
                TextSecondary = "#566078",
                Error = "#c2283a",
                Success = "#0f7a55",
                Warning = "#a35a00",
                Info = "#2563eb",
                LinesDefault = "#e3e6ee",
            },
            new PaletteDark()
        );

    public static MudTheme Dark { get; } =
        Make(
            ":root[data-theme=dark]",
            new PaletteLight(),
            new PaletteDark
            {
                Primary = "#9ea5ff",
                Background = "#0d1018",
                Surface = "#151a26",
                TextPrimary = "#e8ebf4",
                TextSecondary = "#9aa4bb",
                Error = "#ff7a85",
                Success = "#4fd1a1",
                Warning = "#f2b155",
                Info = "#7cabff",
                LinesDefault = "#262d3f",
            }
        );

    private static MudTheme Make(string scope, PaletteLight light, PaletteDark dark) =>
        new()
        {
            PaletteLight = light,
            PaletteDark = dark,
            PseudoCss = new PseudoCss { Scope = scope },
            LayoutProperties = new LayoutProperties { DefaultBorderRadius = "10px" },
            Typography = new Typography
            {
                Default = new DefaultTypography { FontFamily = Fonts },
                Button = new ButtonTypography
                {
                    FontFamily = Fonts,
                    TextTransform = "none",
                    FontWeight = "550",
                },
            },
        };
}

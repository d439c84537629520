/** The style of the pictures, inline and in pages, for light and dark colour schemes. A picture brings its own background. */
export const DIAGRAM_STYLE = `.diagram{--paper:#fff;--ink:#1f2733;--soft:#5b6675;--line:#8a94a3;--box:#f4f6f9;--frame:#fafbfc;--lit:#0b57d0;--on-lit:#fff;--glow:#e3edfd;--past:#dfe3e9;--past-line:#7d8795;--good:#1e6b36;--bad:#b3261e;font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:14px}
@media screen and (prefers-color-scheme:dark){.diagram{--paper:#12161c;--ink:#e6eaf0;--soft:#a5b0bf;--line:#6f7b8b;--box:#1e252e;--frame:#171c23;--lit:#8ab4f8;--on-lit:#0b1a30;--glow:#1b2b45;--past:#333c48;--past-line:#7d8999;--good:#7fd197;--bad:#ff8f85}}
@media (forced-colors:active){.diagram{--paper:Canvas;--ink:CanvasText;--soft:CanvasText;--line:CanvasText;--box:Canvas;--frame:Canvas;--lit:Highlight;--on-lit:HighlightText;--glow:Canvas;--past:Canvas;--past-line:GrayText;--good:Highlight;--bad:Highlight}}
.diagram .paper{fill:var(--paper)}
.diagram text{fill:var(--ink)}
.diagram .caption{font-size:11px;fill:var(--soft)}
.diagram .label text{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
.diagram .count{fill:var(--lit);font-weight:600}
.diagram .state rect,.diagram .state circle{fill:var(--box);stroke:var(--line);stroke-width:1.2}
.diagram .frame>rect{fill:var(--frame)}
.diagram .frame>text{font-weight:600}
.diagram .frame>path{stroke:var(--line);stroke-width:1;fill:none}
.diagram .parallel>rect{stroke-dasharray:6 4}
.diagram .folded>rect{stroke-width:3}
.diagram a{cursor:pointer}
.diagram .cut{font-style:italic}
.diagram .visited>rect{fill:var(--past);stroke:var(--past-line)}
.diagram .mark{font-size:12px;font-weight:600}
.diagram .failed>rect{stroke:var(--bad)}
.diagram .failed>.mark{fill:var(--bad)}
.diagram .current>rect{fill:var(--lit);stroke:var(--lit);stroke-width:2}
.diagram .current>text{fill:var(--on-lit);font-weight:600}
.diagram .current>.caption,.diagram .current .count{fill:var(--on-lit)}
.diagram .final.current>rect{fill:var(--good);stroke:var(--good)}
.diagram .failed.current>rect{fill:var(--bad);stroke:var(--bad)}
.diagram .final.current>rect+rect{stroke:var(--on-lit)}
.diagram .current>.mark{fill:var(--on-lit)}
.diagram .frame.current>rect{fill:var(--glow);stroke:var(--lit)}
.diagram .frame.current>text,.diagram .frame.current>.caption{fill:var(--ink)}
.diagram .frame.current .count{fill:var(--lit)}
.diagram .frame.current>path{stroke:var(--lit)}
.diagram .arrow{fill:none;stroke:var(--line);stroke-width:1.4}
.diagram .head{fill:var(--line)}
.diagram .initial{fill:var(--ink)}
.diagram .port{fill:var(--paper);stroke:var(--line);stroke-width:1.4}`;

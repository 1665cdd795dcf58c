"""What was looked up in runs, as one HTML file.

write       everything into one file                  beside      the page of several runs
figures     the first table and the others            words       what figures mean; numbers as a person reads them
made        settings, data, versions                  curves      what training logged, as drawings
roc         ROC curves of several runs                svg         line drawings without a script
scripted    what the scripts draw from                render      the template filled in
still       the PNG files in figures/                 assets/     the template, its style and its scripts
"""

//! What the rules look at: the members of the workspace, their sources, all checked-in files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId, TargetKind};

use super::source::{self, Source};
use crate::repo::Repo;

/// Everything that the rules look at.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) crates: Vec<Crate>,
    pub(crate) files: Vec<File>,
    /// Every package of the dependency graph, the members among them.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) published: bool,
    pub(crate) manifest: String,
    pub(crate) features: Vec<String>,
    /// What the manifest names, for building (`true`) or for tests alone (`false`).
    pub(crate) dependencies: Vec<(String, bool)>,
    /// Every package that it is built with, through others too.
    pub(crate) reach: BTreeSet<String>,
    /// The sources below `src`, tests among them left out.
    pub(crate) sources: Vec<Source>,
    /// The paths of the sources that are roots of a library or a program.
    pub(crate) roots: Vec<String>,
}

/// A checked-in file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) content: Content,
}

#[cfg(test)]
impl File {
    pub(crate) fn text(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), content: Content::Text(text.to_owned()) }
    }
}

/// What a checked-in file is.
#[derive(Debug)]
pub(crate) enum Content {
    Text(String),
    Binary,
    /// A symbolic link.
    Link,
}

/// The texts among the files, by path.
pub(crate) fn texts(files: &[File]) -> BTreeMap<&str, &str> {
    let texts = files.iter().filter_map(|file| match &file.content {
        Content::Text(text) => Some((file.path.as_str(), text.as_str())),
        Content::Binary | Content::Link => None,
    });
    texts.collect()
}

impl Workspace {
    pub(crate) fn load(repo: &Repo) -> anyhow::Result<Self> {
        let metadata = MetadataCommand::new()
            .current_dir(&repo.root)
            .features(CargoOpt::AllFeatures)
            .exec()
            .context("cargo metadata does not resolve the workspace")?;
        let reach = Reach::new(&metadata);
        let members = metadata.workspace_packages();
        let crates = members
            .into_iter()
            .map(|package| load_crate(&repo.root, package, reach.of(&package.id)))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { crates, files: load_files(&repo.root)?, packages: metadata.packages })
    }
}

fn load_crate(root: &Path, package: &Package, reach: BTreeSet<String>) -> anyhow::Result<Crate> {
    let manifest_path = package.manifest_path.as_std_path();
    let dir = manifest_path.parent().context("a manifest lies in no directory")?;
    let is_root =
        |kind: &TargetKind| !matches!(kind, TargetKind::Test | TargetKind::Bench | TargetKind::Example);
    let roots = package.targets.iter().filter(|target| target.kind.iter().any(is_root));
    let mut dependencies = Vec::new();
    for dependency in &package.dependencies {
        dependencies.push((dependency.name.clone(), dependency.kind != DependencyKind::Development));
    }
    Ok(Crate {
        name: package.name.to_string(),
        // An empty list of registries is how cargo tells `publish = false`.
        published: package.publish.as_ref().is_none_or(|registries| !registries.is_empty()),
        manifest: fs::read_to_string(manifest_path)?,
        features: package.features.keys().cloned().collect(),
        dependencies,
        reach,
        sources: load_sources(root, &dir.join("src"))?,
        roots: roots.map(|target| relative(root, target.src_path.as_std_path())).collect(),
    })
}

/// The sources below a directory, but for those that are compiled for tests alone.
fn load_sources(root: &Path, dir: &Path) -> anyhow::Result<Vec<Source>> {
    let mut paths = Vec::new();
    collect(dir, &mut paths)?;
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        sources.push(Source::new(relative(root, &path), text));
    }
    Ok(source::without_test_modules(sources))
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// All files that are checked in or would be: what is ignored is nobody's concern.
fn load_files(root: &Path) -> anyhow::Result<Vec<File>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git.output().context("cannot start git")?;
    ensure!(output.status.success(), "git does not list the files");
    let names = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
    let paths = names.split('\0').filter(|name| !name.is_empty());
    // What was removed but not yet committed is listed all the same.
    paths
        .filter(|path| root.join(path).symlink_metadata().is_ok())
        .map(|path| load_file(root, path))
        .collect()
}

fn load_file(root: &Path, path: &str) -> anyhow::Result<File> {
    let full = root.join(path);
    let content = if full.is_symlink() {
        Content::Link
    } else {
        String::from_utf8(fs::read(&full)?).map_or(Content::Binary, Content::Text)
    };
    Ok(File { path: path.to_owned(), content })
}

/// The resolved graph of what is built with what.
struct Reach<'a> {
    edges: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
    names: BTreeMap<&'a PackageId, &'a str>,
}

impl<'a> Reach<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let mut edges = BTreeMap::new();
        for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
            let built_with = node.deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
            });
            edges.insert(&node.id, built_with.map(|dependency| &dependency.pkg).collect());
        }
        let names = metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
        Self { edges, names }
    }

    fn of(&self, package: &'a PackageId) -> BTreeSet<String> {
        let mut seen = BTreeSet::from([package]);
        let mut waiting = vec![package];
        while let Some(next) = waiting.pop() {
            for id in self.edges.get(next).into_iter().flatten().copied() {
                if seen.insert(id) {
                    waiting.push(id);
                }
            }
        }
        seen.remove(package);
        seen.into_iter().filter_map(|id| self.names.get(id)).map(|name| (*name).to_owned()).collect()
    }
}
